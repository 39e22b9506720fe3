//! Whether certificates lead from a leaf to a root, by the rules of RFC 5280 as Go keeps them.

use x509_parser::certificate::X509Certificate;

use super::super::fault::Fault;
use super::super::key::{Hash, PublicKey};
use super::certificate::{Said, said};
use super::hostname;
use super::input::signature_algorithm;

/// Signatures that are checked at most, as in Go: certificates that sign each other would never end.
const SIGNATURES: u32 = 100;

/// What the asker demands of the leaf.
#[derive(Debug)]
pub(super) struct Demands {
    pub(super) now_ns: i64,
    /// Empty for any.
    pub(super) host: String,
    /// Go's numbers; one of them is enough.
    pub(super) usages: Vec<u32>,
}

impl Demands {
    pub(super) fn new(now_ns: i64) -> Self {
        Self {
            now_ns,
            host: String::new(),
            usages: Vec::new(),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Leaf,
    Between,
    Root,
}

/// From the leaf to the root; `None` if there is no such chain.
pub(super) fn chain<'c>(
    certificates: &'c [X509Certificate<'c>],
    demands: &Demands,
) -> Result<Option<Vec<&'c X509Certificate<'c>>>, Fault> {
    let [root, between @ .., leaf] = certificates else {
        return Ok(None);
    };
    let said: Vec<Said<'c>> = certificates.iter().map(said).collect();
    let mut search = Search {
        demands,
        left: SIGNATURES,
    };
    let candidates: Vec<Link<'_, '_>> = std::iter::once((root, Place::Root))
        .chain(between.iter().map(|one| (one, Place::Between)))
        .zip(&said)
        .map(|((certificate, place), said)| Link {
            certificate,
            place,
            said,
        })
        .collect();
    let Some(own) = said.last() else { return Ok(None) };
    let start = Link {
        certificate: leaf,
        place: Place::Leaf,
        said: own,
    };
    if !search.valid(&start, &[]) || !demands.fits_host(own) {
        return Ok(None);
    }
    if leaf.as_raw() == root.as_raw() {
        return Ok(search.usable(&[start]).then(|| vec![leaf]));
    }
    let mut path = vec![start];
    let found = search.climb(&mut path, &candidates)?;
    Ok(found.then(|| path.iter().map(|link| link.certificate).collect()))
}

impl Demands {
    fn fits_host(&self, leaf: &Said<'_>) -> bool {
        self.host.is_empty() || hostname::is_of(&leaf.names, &self.host)
    }
}

#[derive(Clone, Copy)]
struct Link<'c, 's> {
    certificate: &'c X509Certificate<'c>,
    place: Place,
    said: &'s Said<'c>,
}

struct Search<'d> {
    demands: &'d Demands,
    left: u32,
}

impl Search<'_> {
    /// Goes on from the last certificate of the path; leaves a whole path in it when there is one.
    fn climb<'c, 's>(
        &mut self,
        path: &mut Vec<Link<'c, 's>>,
        candidates: &[Link<'c, 's>],
    ) -> Result<bool, Fault> {
        let Some(child) = path.last().copied() else {
            return Ok(false);
        };
        for candidate in candidates {
            let parent = candidate.certificate;
            let seen = path
                .iter()
                .any(|link| link.certificate.as_raw() == parent.as_raw());
            if seen || parent.subject().as_raw() != child.certificate.issuer().as_raw() {
                continue;
            }
            self.left = self
                .left
                .checked_sub(1)
                .ok_or_else(|| Fault::Limit(format!("more than {SIGNATURES} signatures to check")))?;
            if !may_sign(candidate) || !signed(child.certificate, parent) {
                continue;
            }
            if !self.valid(candidate, path) {
                continue;
            }
            path.push(*candidate);
            let whole = match candidate.place {
                Place::Root => self.usable(path),
                Place::Between | Place::Leaf => self.climb(path, candidates)?,
            };
            if whole {
                return Ok(true);
            }
            path.pop();
        }
        Ok(false)
    }

    /// Whether the certificate may stand above the path.
    fn valid(&self, link: &Link<'_, '_>, path: &[Link<'_, '_>]) -> bool {
        let validity = link.certificate.validity();
        let now = self.demands.now_ns.div_euclid(1_000_000_000);
        if !link.said.unhandled.is_empty()
            || now < validity.not_before.timestamp()
            || now > validity.not_after.timestamp()
        {
            return false;
        }
        let constraints = &link.said.constraints;
        if !path
            .iter()
            .all(|below| below.said.names.iter().all(|name| constraints.allow(name)))
        {
            return false;
        }
        match (link.place, link.said.basic) {
            (Place::Between, None | Some((false, _))) => false,
            (_, Some((_, Some(most)))) => {
                u32::try_from(path.len().saturating_sub(1)).is_ok_and(|between| between <= most)
            }
            _ => true,
        }
    }

    /// Whether every certificate lets the leaf be used as demanded. Explicit policies are not evaluated here, so a
    /// chain that asks for them is refused.
    fn usable(&self, path: &[Link<'_, '_>]) -> bool {
        let explicit = |link: &&Link<'_, '_>| link.place != Place::Root && link.said.explicit.is_some();
        if path.len() > 1 && path.iter().any(|link| explicit(&link)) {
            return false;
        }
        let server = [1];
        let wanted = match self.demands.usages.as_slice() {
            [] => server.as_slice(),
            usages => usages,
        };
        let open = |link: &Link<'_, '_>| {
            let (known, unknown) = (&link.said.extended, &link.said.extended_unknown);
            (known.is_empty() && unknown.is_empty()) || known.contains(&0)
        };
        let allows = |usage: &&u32| {
            path.iter()
                .all(|link| open(link) || link.said.extended.contains(*usage))
        };
        wanted.contains(&0) || wanted.iter().any(|usage| allows(&usage))
    }
}

/// An authority must say that it is one, and that its key signs certificates if it says what its key is for.
fn may_sign(link: &Link<'_, '_>) -> bool {
    const CERTIFICATES: u16 = 1 << 5;
    let authority = match link.said.basic {
        Some((authority, _)) => authority,
        // Only certificates of before version 3 cannot say it.
        None => link.certificate.version().0 < 2,
    };
    authority && (link.said.usage == 0 || link.said.usage & CERTIFICATES != 0)
}

fn signed(child: &X509Certificate<'_>, parent: &X509Certificate<'_>) -> bool {
    let Some(key) = PublicKey::of(parent.public_key()) else {
        return false;
    };
    let (message, signature) = (
        child.tbs_certificate.as_ref(),
        child.signature_value.data.as_ref(),
    );
    // Both places that name the algorithm must agree, and MD5 and SHA-1 are broken.
    if child.signature_algorithm != child.tbs_certificate.signature {
        return false;
    }
    match signature_algorithm(&child.signature_algorithm) {
        4 => key.pkcs1(Hash::Sha256, message, signature),
        5 => key.pkcs1(Hash::Sha384, message, signature),
        6 => key.pkcs1(Hash::Sha512, message, signature),
        10 => key.ecdsa(Hash::Sha256, message, signature),
        11 => key.ecdsa(Hash::Sha384, message, signature),
        12 => key.ecdsa(Hash::Sha512, message, signature),
        13 => key.pss(Hash::Sha256, message, signature),
        14 => key.pss(Hash::Sha384, message, signature),
        15 => key.pss(Hash::Sha512, message, signature),
        16 => key.ed25519(message, signature),
        _ => false,
    }
}
