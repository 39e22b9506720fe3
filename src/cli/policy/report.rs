//! How what is wrong is shown: OPA's line, the author's text with a caret below, and what to write instead.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::{Map, Value as Json, json};

use crate::rego::{Issue, Place, advice};

/// All issues for a person.
pub(super) fn pretty(issues: &[Issue], texts: &BTreeMap<&str, &str>) -> String {
    let mut out = match issues {
        [_] => "1 error occurred: ".to_owned(),
        _ => format!("{} errors occurred:\n", issues.len()),
    };
    for (at, issue) in issues.iter().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        if let Some(Place { file, row, col }) = &issue.place {
            let _ = write!(out, "{file}:{row}:{col}: ");
        }
        let _ = write!(out, "{}: {}", issue.code, issue.message);
        if let Some(place) = &issue.place {
            excerpt(place, texts, &mut out);
        }
        if let Some(instead) = advice(issue) {
            let _ = write!(out, "\n\tinstead: {instead}");
        }
    }
    out
}

fn excerpt(place: &Place, texts: &BTreeMap<&str, &str>, out: &mut String) {
    let row = usize::try_from(place.row).unwrap_or_default();
    let text = texts.get(place.file.as_str());
    let Some(line) = text.and_then(|text| text.lines().nth(row.saturating_sub(1))) else {
        return;
    };
    // The caret stands below its letter whatever a tab is worth: tabs stay tabs.
    let col = usize::try_from(place.col).unwrap_or_default();
    let before: String = line
        .chars()
        .take(col.saturating_sub(1))
        .map(|letter| if letter == '\t' { '\t' } else { ' ' })
        .collect();
    let _ = write!(out, "\n\t{line}\n\t{before}^");
}

/// OPA's list of errors.
pub(super) fn errors(issues: &[Issue]) -> Json {
    let errors = issues.iter().map(|issue| {
        let mut error = Map::new();
        error.insert("message".to_owned(), json!(issue.message));
        error.insert("code".to_owned(), json!(issue.code));
        if let Some(Place { file, row, col }) = &issue.place {
            let location = json!({"file": file, "row": row, "col": col});
            error.insert("location".to_owned(), location);
        }
        if let Some(instead) = advice(issue) {
            error.insert("details".to_owned(), json!({"instead": instead}));
        }
        Json::Object(error)
    });
    Json::Array(errors.collect())
}
