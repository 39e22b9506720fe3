//! From a `.tar.gz` to files in memory, within bounds that hold before anything is believed.

use std::{collections::BTreeSet, io::Read};

use flate2::read::GzDecoder;
use tar::{Archive, EntryType};

use super::BundleFault;

/// How much a bundle may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the archive.
    pub archive: usize,
    /// Bytes of all its files together, unpacked.
    pub unpacked: u64,
    /// Files.
    pub files: usize,
    /// Folders above a file.
    pub depth: usize,
    /// Bytes that one byte of the archive may become. Policies and data reach about 30; a bomb reaches 1,000.
    pub ratio: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            archive: 64 << 20,
            unpacked: 64 << 20,
            files: 10_000,
            depth: 32,
            ratio: 250,
        }
    }
}

/// Below this much, the ratio means nothing: a small archive is mostly headers and padding.
const RATIO_FROM: u64 = 4 << 20;
/// Longest path.
const LONGEST_PATH: usize = 1_024;

/// A file of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path as the archive names it. Signatures and version patterns mean this one.
    pub path: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// Counts what comes out of the decompressor, and stops it where the bounds are.
struct Bounded<R> {
    inner: R,
    taken: u64,
    most: u64,
    burst: bool,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let got = self.inner.read(into)?;
        self.taken = self.taken.saturating_add(u64::try_from(got).unwrap_or(u64::MAX));
        if self.taken > self.most {
            self.burst = true;
            return Err(std::io::Error::other("too large"));
        }
        Ok(got)
    }
}

/// Unpacks an archive.
pub fn unpack(archive: &[u8], limits: &Limits) -> Result<Vec<File>, BundleFault> {
    if archive.len() > limits.archive {
        return Err(too_large("the archive", &format!("{} bytes", limits.archive)));
    }
    let packed = u64::try_from(archive.len()).unwrap_or(u64::MAX);
    let by_ratio = packed.saturating_mul(limits.ratio).max(RATIO_FROM);
    // Each entry of a tar has a header of 512 bytes and is padded to 512.
    let frames = u64::try_from(limits.files)
        .unwrap_or(u64::MAX)
        .saturating_mul(1_536);
    let by_size = limits.unpacked.saturating_add(frames).saturating_add(10_240);
    let mut stream = Bounded {
        inner: GzDecoder::new(archive),
        taken: 0,
        most: by_ratio.min(by_size),
        burst: false,
    };
    let outcome = entries(&mut stream, limits);
    if stream.burst {
        return Err(if by_ratio < by_size {
            too_large(
                "what the archive unpacks to",
                &format!("{} times its size", limits.ratio),
            )
        } else {
            too_large("the unpacked bundle", &format!("{} bytes", limits.unpacked))
        });
    }
    outcome
}

fn too_large(what: &str, limit: &str) -> BundleFault {
    BundleFault::TooLarge {
        what: what.to_owned(),
        limit: limit.to_owned(),
    }
}

fn entries(stream: &mut impl Read, limits: &Limits) -> Result<Vec<File>, BundleFault> {
    let broken = |error: std::io::Error| BundleFault::Archive(error.to_string());
    let mut archive = Archive::new(stream);
    let (mut files, mut seen, mut total) = (Vec::new(), BTreeSet::new(), 0_u64);
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let kind = entry.header().entry_type();
        let raw = entry.path_bytes().into_owned();
        let path =
            String::from_utf8(raw).map_err(|error| BundleFault::Path(error.to_string(), "is not UTF-8"))?;
        if matches!(kind, EntryType::Directory | EntryType::XGlobalHeader) {
            continue;
        }
        // OPA skips links and devices; in a bundle they have no use but to point out of it.
        if !matches!(kind, EntryType::Regular | EntryType::Continuous) {
            return Err(BundleFault::Path(path, "is no plain file"));
        }
        let name = plain(&path, limits)?;
        if !seen.insert(name) {
            return Err(BundleFault::Path(path, "is there twice"));
        }
        if files.len() >= limits.files {
            return Err(too_large("the number of files", &limits.files.to_string()));
        }
        total = total.saturating_add(entry.size());
        if total > limits.unpacked {
            return Err(too_large(
                "the unpacked bundle",
                &format!("{} bytes", limits.unpacked),
            ));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(entry.size()).unwrap_or(0));
        entry.read_to_end(&mut bytes).map_err(broken)?;
        files.push(File { path, bytes });
    }
    if files.is_empty() && seen.is_empty() && total == 0 {
        // The tar reader takes the end of the stream for the end of the archive.
        return Err(BundleFault::Archive("it holds no file".to_owned()));
    }
    Ok(files)
}

/// The path without the ways to write it differently; refused where it leads out.
fn plain(path: &str, limits: &Limits) -> Result<String, BundleFault> {
    let refuse = |why| Err(BundleFault::Path(path.chars().take(200).collect(), why));
    if path.len() > LONGEST_PATH {
        return refuse("is too long a path");
    }
    if path.chars().any(|letter| letter.is_control() || letter == '\\') {
        return refuse("has a backslash or a control character");
    }
    let segments: Vec<&str> = path
        .split('/')
        .filter(|segment| !segment.is_empty() && *segment != ".")
        .collect();
    if segments.contains(&"..") {
        return refuse("leads out of the bundle");
    }
    if segments.is_empty() {
        return refuse("has no name");
    }
    if segments.len() > limits.depth {
        return refuse("is in too deep a folder");
    }
    Ok(segments.join("/"))
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write as _;

    use super::*;

    pub(in crate::rego::bundle) fn packed(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut tar = tar::Builder::new(Vec::new());
        for (path, bytes) in files {
            let mut header = tar::Header::new_gnu();
            // Past the checks of the writer, as an attacker's tool would.
            header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            tar.append(&header, *bytes).unwrap();
        }
        zipped(&tar.into_inner().unwrap())
    }

    pub(in crate::rego::bundle) fn zipped(bytes: &[u8]) -> Vec<u8> {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(bytes).unwrap();
        gzip.finish().unwrap()
    }

    fn said(archive: &[u8]) -> String {
        unpack(archive, &Limits::default()).unwrap_err().to_string()
    }

    #[test]
    fn files_as_the_archive_names_them() {
        let files = unpack(
            &packed(&[("/data.json", b"{}"), ("./a/p.rego", b"package a")]),
            &Limits::default(),
        )
        .unwrap();
        let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["/data.json", "./a/p.rego"]);
        assert_eq!(files[1].bytes, b"package a");
    }

    #[test]
    fn what_is_no_archive_or_ends_early() {
        for archive in [
            &b""[..],
            b"not gzip",
            zipped(b"not a tar, but long enough to look at").as_slice(),
        ] {
            assert!(said(archive).contains("archive read failed"), "{}", said(archive));
        }
        let whole = packed(&[("/data.json", &[b' '; 5000])]);
        for cut in [whole.len() - 20, whole.len() / 2, 12] {
            assert!(said(&whole[..cut]).contains("archive read failed"), "{cut}");
        }
        let mut wrong = whole;
        let middle = wrong.len() / 2;
        wrong[middle] ^= 0xff;
        assert!(unpack(&wrong, &Limits::default()).is_err());
    }

    #[test]
    fn names_that_lead_elsewhere() {
        for (path, part) in [
            ("../data.json", "out of"),
            ("/a/../../b/data.json", "out of"),
            ("a\\..\\data.json", "backslash"),
            ("a\n/data.json", "control"),
            ("/", "no name"),
            (&"a/".repeat(40), "deep"),
        ] {
            assert!(said(&packed(&[(path, b"{}")])).contains(part), "{path}");
        }
        assert!(said(&packed(&[("/data.json", b"{}"), ("./data.json", b"{}")])).contains("twice"));
    }

    #[test]
    fn a_link_is_no_file() {
        let mut tar = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(EntryType::Symlink);
        header.set_size(0);
        tar.append_link(&mut header, "data.json", "/etc/passwd").unwrap();
        assert!(said(&zipped(&tar.into_inner().unwrap())).contains("no plain file"));
    }

    #[test]
    fn a_bomb_is_stopped_at_its_ratio() {
        let bomb = packed(&[("/data.json", &vec![b' '; 60 << 20])]);
        assert!(bomb.len() < 100_000);
        assert!(said(&bomb).contains("250 times its size"), "{}", said(&bomb));
        // A header that lies about the size cannot claim memory.
        let mut tar = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_path("data.json").unwrap();
        header.set_size(1 << 60);
        header.set_cksum();
        tar.append(&header, &b"{}"[..]).unwrap();
        assert!(said(&zipped(&tar.into_inner().unwrap())).contains("exceeds"));
    }

    #[test]
    fn more_than_may_be() {
        let small = Limits {
            archive: 10,
            ..Limits::default()
        };
        assert!(
            unpack(&[0; 11], &small)
                .unwrap_err()
                .to_string()
                .contains("the archive exceeds 10 bytes")
        );
        let few = Limits {
            files: 2,
            ..Limits::default()
        };
        let three = packed(&[("a.rego", b""), ("b.rego", b""), ("c.rego", b"")]);
        assert!(
            unpack(&three, &few)
                .unwrap_err()
                .to_string()
                .contains("number of files")
        );
        let short = Limits {
            unpacked: 9,
            ..Limits::default()
        };
        let ten = packed(&[("data.json", &[b' '; 10])]);
        assert!(
            unpack(&ten, &short)
                .unwrap_err()
                .to_string()
                .contains("unpacked bundle")
        );
    }
}
