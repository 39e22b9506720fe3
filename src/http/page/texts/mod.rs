//! The texts: for each [`Code`] what happened, why, and what to do next; and the words of the pages.

mod de;
mod en;

use std::{collections::BTreeMap, sync::LazyLock};

use minijinja::{Value, value::Serde};
use serde::Serialize;

use super::language::Language;
use crate::domain::{
    fault::Code,
    lack::{parts_of, worded},
};

/// What a person reads about one code.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Text {
    /// Which code.
    pub code: Code,
    /// Heading.
    pub title: &'static str,
    /// What happened.
    pub happened: &'static str,
    /// Why.
    pub why: &'static str,
    /// What to do next.
    pub next: &'static str,
}

const fn text(
    code: Code,
    title: &'static str,
    happened: &'static str,
    why: &'static str,
    next: &'static str,
) -> Text {
    Text {
        code,
        title,
        happened,
        why,
        next,
    }
}

/// The text of a code. A test walks [`Code::ALL`] in both languages.
#[must_use]
pub fn of(code: Code, language: Language) -> &'static Text {
    let (internal, texts) = match language {
        Language::En => (&en::INTERNAL, &en::TEXTS),
        Language::De => (&de::INTERNAL, &de::TEXTS),
    };
    texts.iter().find(|text| text.code == code).unwrap_or(internal)
}

/// The words of the pages in one language, with the texts of all codes under `codes`.
pub fn words(language: Language) -> Result<Value, String> {
    let source = match language {
        Language::En => include_str!("words.en.yaml"),
        Language::De => include_str!("words.de.yaml"),
    };
    let mut words: BTreeMap<String, serde_json::Value> =
        serde_norway::from_str(source).map_err(|error| error.to_string())?;
    if let Some(reasons) = words
        .get_mut("reasons")
        .and_then(serde_json::Value::as_object_mut)
    {
        reasons.extend(reasons_of_policy(language)?);
    }
    let mut codes = serde_json::Map::new();
    for code in Code::ALL {
        let key = serde_json::to_value(code).map_err(|error| error.to_string())?;
        let text = serde_json::to_value(of(code, language)).map_err(|error| error.to_string())?;
        codes.insert(key.as_str().unwrap_or_default().to_owned(), text);
    }
    words.insert("codes".into(), codes.into());
    Ok(Value::from(Serde(words)))
}

/// What does not fit about a proof that somebody has shown: no policy says so, so these texts are ours.
const PROOFS: &str = include_str!("proofs.json");

/// What one reason code means, in English and German; the code itself where it has no text.
#[must_use]
pub fn reason(code: &str) -> (String, String) {
    static TEXTS: LazyLock<BTreeMap<String, BTreeMap<String, String>>> = LazyLock::new(|| {
        // The files are part of the program and tests read them, so the defaults are never met.
        let mut texts: BTreeMap<_, _> =
            serde_json::from_str(include_str!("../../../../policies/texts.json")).unwrap_or_default();
        texts.extend(serde_json::from_str::<BTreeMap<_, _>>(PROOFS).unwrap_or_default());
        texts
    });
    let (known, name) = parts_of(code);
    let of = |language: &str| {
        let text = TEXTS.get(known).and_then(|texts| texts.get(language));
        text.map_or_else(|| code.to_owned(), |text| worded(text, name))
    };
    (of("en"), of("de"))
}

/// What policy's reason codes mean. The texts lie beside the policies, because who adds a code adds its text.
fn reasons_of_policy(language: Language) -> Result<serde_json::Map<String, serde_json::Value>, String> {
    let texts: BTreeMap<String, BTreeMap<String, String>> =
        serde_json::from_str(include_str!("../../../../policies/texts.json"))
            .map_err(|error| error.to_string())?;
    Ok(texts
        .into_iter()
        .filter_map(|(code, mut text)| Some((code, text.remove(language.tag())?.into())))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_texts_in_both_languages() {
        for language in Language::ALL {
            for code in Code::ALL {
                let text = of(code, language);
                assert_eq!(text.code, code, "{language:?} has no text for {code:?}");
                for sentence in [text.title, text.happened, text.why, text.next] {
                    assert!(sentence.len() > 8, "{language:?} {code:?}: {sentence:?}");
                }
            }
        }
        for code in Code::ALL {
            assert_ne!(of(code, Language::En).happened, of(code, Language::De).happened);
        }
    }

    #[test]
    fn what_is_wrong_with_a_proof_is_told_in_both_languages() {
        let proofs: BTreeMap<String, BTreeMap<String, String>> = serde_json::from_str(PROOFS).unwrap();
        assert!(proofs.len() > 30);
        for (code, texts) in proofs {
            let languages: Vec<&str> = texts.keys().map(String::as_str).collect();
            assert_eq!(languages, ["de", "en"], "{code}");
            // What happened, and what to do: more than one sentence.
            assert!(
                texts.values().all(|text| text.len() > 60 && text.ends_with('.')),
                "{code}"
            );
            assert_eq!(reason(&code).0, texts["en"]);
        }
        assert!(reason("signature_sha1_ended:2027-06-30").1.contains("2027-06-30"));
    }

    #[test]
    fn english_texts_may_stand_in_an_oauth_error_description() {
        // RFC 6749 §5.2: %x20-21 / %x23-5B / %x5D-7E
        for code in Code::ALL {
            let text = of(code, Language::En);
            let allowed = |c: char| matches!(c, ' '..='!' | '#'..='[' | ']'..='~');
            assert!(text.happened.chars().all(allowed), "{}", text.happened);
            assert!(text.why.chars().all(allowed), "{}", text.why);
        }
    }

    #[test]
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "anything that is no mapping is a text"
    )]
    fn both_languages_have_the_same_words() {
        fn keys(prefix: &str, value: &serde_json::Value, out: &mut Vec<String>) {
            match value {
                serde_json::Value::Object(map) => map
                    .iter()
                    .for_each(|(key, value)| keys(&format!("{prefix}.{key}"), value, out)),
                other => out.push(format!(
                    "{prefix} {}",
                    other.as_str().unwrap().matches("{}").count()
                )),
            }
        }
        let of = |source| {
            let value: serde_json::Value = serde_norway::from_str(source).unwrap();
            let mut out = Vec::new();
            keys("", &value, &mut out);
            out.sort();
            out
        };
        assert_eq!(
            of(include_str!("words.en.yaml")),
            of(include_str!("words.de.yaml"))
        );
    }
}
