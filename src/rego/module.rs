//! One Rego text with its id and version.

/// The version of the language. Version 0 needs no `if` and `contains`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Version {
    /// OPA before 1.0.
    V0,
    /// OPA since 1.0.
    #[default]
    V1,
}

/// One policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// File or policy id; errors name it.
    pub id: String,
    /// The Rego text.
    pub text: String,
    /// Its language.
    pub version: Version,
}
