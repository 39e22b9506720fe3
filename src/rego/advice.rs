//! What to write instead: for what authors get wrong most, in words that can be followed.

use super::fault::Issue;

/// A part of a message, and what to do about it.
const KNOWN: [(&str, &str); 17] = [
    (
        "expecting expression",
        "an expression belongs here; close each `{`, `[` and `(` that was opened before",
    ),
    (
        "is unsafe",
        "give it a value before it is used: `x := …` or `some x in …`; or is the name misspelt, or its import missing?",
    ),
    (
        "undefined variable",
        "give it a value before it is used: `x := …` or `some x in …`; or is the name misspelt, or its import missing?",
    ),
    (
        "could not find function",
        "a builtin by its full name, or a function of yours: import its package (`import data.lib.name`)",
    ),
    (
        "undefined function",
        "a builtin by its full name, or a function of yours: import its package (`import data.lib.name`)",
    ),
    (
        "`if` keyword is required",
        "`name if { … }` (Rego v1); for policies of version 0 pass --v0-compatible",
    ),
    (
        "if keyword",
        "`name if { … }` (Rego v1); for policies of version 0 pass --v0-compatible",
    ),
    (
        "`contains` keyword is required",
        "`name contains item if { … }` (Rego v1); for policies of version 0 pass --v0-compatible",
    ),
    (
        "recursion",
        "take one rule out of the circle: a rule cannot need its own value",
    ),
    (
        "eof",
        "something is open: close each `{`, `[`, `(` and quote that was opened before this place",
    ),
    (
        "conflicting rule for data path",
        "keep data outside the packages: rename the package, the rule or the data",
    ),
    (
        "multiple outputs",
        "one value for each input: make the conditions exclude each other, or use `else`",
    ),
    (
        "multiple default",
        "one `default` for a rule: take the others away",
    ),
    (
        "value for key",
        "one value for each key: make the conditions exclude each other",
    ),
    (
        "unused",
        "take it away, or use it; a name that is not needed is written `_`",
    ),
    (
        "invalid argument",
        "a value of the type that the function takes; `is_number(x)` and its like test before",
    ),
    (
        "non-terminated string",
        "close the text with \" on its line, or write it in `…` over several",
    ),
];

/// What to write instead, if the issue or we know it.
#[must_use]
pub fn advice(issue: &Issue) -> Option<String> {
    if let Some(instead) = &issue.instead {
        return Some(instead.clone());
    }
    let known = KNOWN.iter().find(|(part, _)| issue.message.contains(part));
    if let Some((_, instead)) = known {
        return Some((*instead).to_owned());
    }
    (issue.code == "rego_parse_error").then(|| {
        "look left of this place for a missing comma, bracket or operator; expressions stand on lines of their own"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_issues_own_words_come_first() {
        let issue = Issue::new("rego_unsafe_var_error", "var x is unsafe");
        assert!(advice(&issue).unwrap().contains("some x in"));
        assert_eq!(advice(&issue.instead("write y")).unwrap(), "write y");
        assert_eq!(advice(&Issue::new("eval_other", "?")), None);
    }
}
