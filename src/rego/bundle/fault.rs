//! Why a bundle is not read. The texts of OPA where it has one; each says what to do next.

/// A bundle that is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleFault {
    /// It is no gzip, or no tar inside.
    #[error("bundle read failed: archive read failed: {0}; make it with `opa build`")]
    Archive(String),
    /// It is larger than it may be.
    #[error("bundle read failed: {what} exceeds {limit}; make the bundle smaller, or raise size_limit_bytes")]
    TooLarge {
        /// What is too large.
        what: String,
        /// How much it may be.
        limit: String,
    },
    /// A name in the archive that no build tool writes.
    #[error("bundle read failed: the entry '{0}' {1}; make the bundle with `opa build`")]
    Path(String, &'static str),
    /// A file that cannot be used.
    #[error("bundle load failed on {file}: {why}")]
    File {
        /// The file's path in the bundle.
        file: String,
        /// What is wrong, and what to write instead.
        why: String,
    },
    /// The manifest contradicts what the bundle holds.
    #[error("{0}")]
    Manifest(String),
    /// The signature does not fit.
    #[error("{0}")]
    Signature(String),
}

impl BundleFault {
    pub(super) fn file(file: &str, why: impl Into<String>) -> Self {
        Self::File {
            file: file.to_owned(),
            why: why.into(),
        }
    }

    pub(super) fn signature(why: impl Into<String>) -> Self {
        Self::Signature(why.into())
    }
}
