//! Signed XML of other parties: one strict tree, and the one shape of signature that is taken.
//!
//! What is checked, what is canonicalised and what claims are read from are the same tree, so no second parser can read
//! another document than the one that was signed. It stands here beside `jose`, which does the same for JWTs, and not in
//! `keys`: that room has our own keys, and upstreams do not reach into it. The crypto is aws-lc-rs like everywhere; there
//! is no libxml2, no xmlsec and no OpenSSL.
//!
//! Start at [`Document::parse`], then [`signature::verify`]. What no parser may see is in `wire::saml::scan`.

pub mod certificate;
mod document;
pub mod signature;

pub use document::{Document, Element};

use crate::wire::saml::scan::Unfit;

/// Why a document, or its signature, is not taken. As a text it is a reason, with texts in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// Longer than 1 MiB.
    #[error("xml_too_long")]
    TooLong,
    /// Not UTF-8.
    #[error("xml_encoding")]
    Encoding,
    /// A document type: entities, and parts from elsewhere.
    #[error("xml_doctype")]
    Doctype,
    /// A comment, CDATA section or processing instruction.
    #[error("xml_markup")]
    Markup,
    /// More levels than any message has.
    #[error("xml_too_deep")]
    TooDeep,
    /// More elements or attributes than any message has.
    #[error("xml_too_many")]
    TooMany,
    /// Not well-formed.
    #[error("xml_broken")]
    Broken,
    /// The name of a namespace is relative.
    #[error("xml_namespace")]
    Namespace,
    /// An ID stands there twice, or in a namespace: a reference by ID would have two meanings.
    #[error("xml_duplicate_id")]
    DuplicateId,
    /// There is no signature where it belongs.
    #[error("signature_missing")]
    Unsigned,
    /// A signature has another shape, or covers something else, than the one that is taken.
    #[error("signature_shape")]
    Shape,
    /// Signed or digested by an algorithm that is not taken (MD5, HMAC, …).
    #[error("signature_algorithm")]
    Algorithm,
    /// By SHA-1, which is not allowed.
    #[error("signature_sha1")]
    Sha1,
    /// What is signed was changed.
    #[error("signature_digest")]
    Digest,
    /// No key that is trusted has made the signature.
    #[error("signature_key")]
    Key,
}

impl From<Unfit> for Flaw {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::TooLong => Self::TooLong,
            Unfit::Encoding => Self::Encoding,
            Unfit::Doctype => Self::Doctype,
            Unfit::Comment | Unfit::Cdata | Unfit::Instruction => Self::Markup,
            Unfit::TooDeep => Self::TooDeep,
            Unfit::TooMany => Self::TooMany,
            Unfit::Broken => Self::Broken,
        }
    }
}
