//! From files to a bundle: what each file is, and whether the manifest permits it.

use regorus::Value;

use super::{Bundle, BundleFault, File, Manifest, Verification, signature, tree};
use crate::rego::{Module, syntax};

const MANIFEST: &str = ".manifest";
const MANIFEST_IN_PROTOBUF: &str = ".manifest.pb";
const SIGNATURES: &str = "signatures.json";

/// Whether a file is a bundle's list of signatures.
#[must_use]
pub fn is_signature(path: &str) -> bool {
    path.ends_with(SIGNATURES)
}

/// Makes a bundle of its files, wherever they came from.
pub fn assemble(files: Vec<File>, verification: Option<&Verification>) -> Result<Bundle, BundleFault> {
    let (signatures, files): (Vec<File>, Vec<File>) =
        files.into_iter().partition(|file| is_signature(&file.path));
    // OPA reads each of several and keeps the last. Which one that is, should not be the sender's choice.
    if let [_, second, ..] = signatures.as_slice() {
        return Err(BundleFault::file(
            &second.path,
            "a bundle has one .signatures.json",
        ));
    }
    signature::check(signatures.first(), &files, verification)?;
    let manifest = manifest(&files)?;
    let (mut modules, mut data) = (Vec::new(), Value::new_object());
    for file in files {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        if file.path.ends_with(".rego") {
            modules.push(module(&file, &manifest)?);
        } else if matches!(name, "data.json" | "data.yaml" | "data.yml") {
            tree::insert(&mut data, &file.path, content(&file)?)?;
        } else if name == "patch.json" {
            // Nothing of a delta bundle is covered by a signature, and an empty one wipes all data.
            let why = "delta bundles are not taken; deliver the whole bundle (`Prefer: modes=snapshot`)";
            return Err(BundleFault::file(&file.path, why));
        }
    }
    if let Some(path) = tree::outside(&data, &manifest) {
        return Err(BundleFault::Manifest(format!(
            "manifest roots {} do not permit data at path '/{path}' (hint: check bundle directory structure)",
            shown(&manifest)
        )));
    }
    Ok(Bundle {
        manifest,
        modules,
        data,
    })
}

fn manifest(files: &[File]) -> Result<Manifest, BundleFault> {
    let mut found: Option<&File> = None;
    for file in files {
        if file.path.ends_with(MANIFEST_IN_PROTOBUF) {
            let why = "a manifest in protobuf is not read; write .manifest as JSON";
            return Err(BundleFault::file(&file.path, why));
        }
        if file.path.ends_with(MANIFEST) {
            if let Some(first) = found {
                return Err(BundleFault::Manifest(format!(
                    "bundle contains multiple manifest files: \"{}\" and \"{}\"",
                    first.path, file.path
                )));
            }
            found = Some(file);
        }
    }
    found.map_or_else(
        || Ok(Manifest::default()),
        |file| Manifest::parse(&file.path, &file.bytes),
    )
}

fn module(file: &File, manifest: &Manifest) -> Result<Module, BundleFault> {
    let text = String::from_utf8(file.bytes.clone())
        .map_err(|error| BundleFault::file(&file.path, format!("it is not UTF-8: {error}")))?;
    // A text without a package is left to the parser, which says where and what is missing.
    if let Some(package) = syntax::package(&text) {
        let path: Vec<&str> = package.iter().map(String::as_str).collect();
        if !manifest.owns(&path) {
            return Err(BundleFault::Manifest(format!(
                "manifest roots {} do not permit 'package {}' in module '{}'",
                shown(manifest),
                package.join("."),
                file.path
            )));
        }
    }
    Ok(Module {
        id: file
            .path
            .trim_start_matches("./")
            .trim_start_matches('/')
            .to_owned(),
        text,
        version: manifest.version_of(&file.path)?,
    })
}

fn content(file: &File) -> Result<Value, BundleFault> {
    let text = tree::json_text(&file.path, &file.bytes).map_err(|why| BundleFault::file(&file.path, why))?;
    Value::from_json_str(&text).map_err(|error| BundleFault::file(&file.path, error.to_string()))
}

/// As Go prints a list of texts.
fn shown(manifest: &Manifest) -> String {
    format!("[{}]", manifest.roots.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rego::{
        Version,
        bundle::{Limits, archive::tests::packed, read},
    };

    fn said(files: &[(&str, &str)]) -> String {
        let files: Vec<(&str, &[u8])> = files
            .iter()
            .map(|(path, text)| (*path, text.as_bytes()))
            .collect();
        read(&packed(&files), &Limits::default(), None)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn policies_data_and_manifest() {
        let archive = packed(&[
            (
                "/.manifest",
                br#"{"revision":"r1","roots":["a","b"],"file_rego_versions":{"/a/old.rego":0}}"#,
            ),
            ("/a/p.rego", b"package a.p\n"),
            ("/a/old.rego", b"package a.old\n"),
            ("/b/data.yaml", b"x: 1\n"),
            ("/README.md", b"not looked at"),
        ]);
        let bundle = read(&archive, &Limits::default(), None).unwrap();
        assert_eq!(bundle.manifest.revision, "r1");
        let modules: Vec<(&str, Version)> = bundle
            .modules
            .iter()
            .map(|one| (one.id.as_str(), one.version))
            .collect();
        assert_eq!(modules, [("a/p.rego", Version::V1), ("a/old.rego", Version::V0)]);
        assert_eq!(bundle.data, Value::from_json_str(r#"{"b":{"x":1}}"#).unwrap());
    }

    #[test]
    fn what_the_manifest_does_not_permit() {
        let manifest = ("/.manifest", r#"{"roots":["a"]}"#);
        assert_eq!(
            said(&[manifest, ("/p.rego", "package b.c")]),
            "manifest roots [a] do not permit 'package b.c' in module '/p.rego'"
        );
        assert!(said(&[manifest, ("/data.json", r#"{"b":1}"#)]).contains("do not permit data at path '/b'"));
        assert!(said(&[manifest, ("/x/.manifest", "{}")]).contains("multiple manifest files"));
    }

    #[test]
    fn files_that_cannot_be_used() {
        for (path, text, part) in [
            ("/data.json", "{", "bundle load failed on /data.json"),
            ("/data.json", "[1]", "root value must be object"),
            ("/patch.json", "{}", "delta"),
            ("/.manifest.pb", "", "protobuf"),
            (
                "/.signatures.json",
                r#"{"signatures":["a.b.c"]}"#,
                "verification key not provided",
            ),
        ] {
            assert!(
                said(&[(path, text)]).contains(part),
                "{path}: {}",
                said(&[(path, text)])
            );
        }
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(
            said(&[("/data.json", &deep)]).contains("recursion"),
            "{}",
            said(&[("/data.json", &deep)])
        );
        let files = vec![File {
            path: "/p.rego".into(),
            bytes: vec![0xff],
        }];
        assert!(assemble(files, None).unwrap_err().to_string().contains("UTF-8"));
    }
}
