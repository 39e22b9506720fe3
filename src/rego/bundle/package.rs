//! The package of a Rego text, read without parsing the rest: the roots are checked before anything else.

/// The path of the package (`["a", "b"]` of `package a.b`), if the text begins with one.
pub(super) fn path(text: &str) -> Option<Vec<String>> {
    let rest = skip(text).strip_prefix("package")?;
    if !rest.starts_with([' ', '\t', '\r', '\n', '#']) {
        return None;
    }
    let (first, mut rest) = name(skip(rest))?;
    let mut path = vec![first];
    loop {
        if let Some(after) = rest.strip_prefix('.') {
            let (segment, after) = name(after)?;
            path.push(segment);
            rest = after;
        } else if let Some(after) = rest.strip_prefix('[') {
            let (segment, after) = quoted(after.trim_start())?;
            path.push(segment);
            rest = after.trim_start().strip_prefix(']')?;
        } else {
            return Some(path);
        }
    }
}

/// Without the blanks and comments at the beginning.
fn skip(mut text: &str) -> &str {
    loop {
        text = text.trim_start();
        match text.strip_prefix('#') {
            Some(comment) => text = comment.split_once('\n').map_or("", |(_, after)| after),
            None => return text,
        }
    }
}

fn name(text: &str) -> Option<(String, &str)> {
    let end = text
        .find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end)?;
    (!name.is_empty()).then(|| (name.to_owned(), rest))
}

fn quoted(text: &str) -> Option<(String, &str)> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<String>();
    let value = values.next()?.ok()?;
    let (_, rest) = text.split_at_checked(values.byte_offset())?;
    Some((value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages() {
        for (text, expected) in [
            ("package a", Some("a")),
            (
                "# METADATA\n# title: x\n\npackage a.b.c\nimport data.x",
                Some("a|b|c"),
            ),
            (r#"package a["b/c"].d"#, Some("a|b/c|d")),
            ("package a # why\n", Some("a")),
            ("package\ta", Some("a")),
            ("packages a", None),
            ("allow := true", None),
            ("package", None),
            ("", None),
        ] {
            let found = path(text).map(|path| path.join("|"));
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }
}
