//! Which texts are names that may stand without quotes.

/// Words that are keywords in the newest version, or to the engine.
pub(in crate::rego) const KEYWORDS: [&str; 15] = [
    "as", "contains", "default", "else", "every", "false", "if", "import", "in", "not", "null", "package",
    "some", "true", "with",
];

/// Whether a text is written like a name; it may still be a keyword.
pub(in crate::rego) fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
