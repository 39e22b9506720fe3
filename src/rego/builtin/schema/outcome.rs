//! What a validation found.

use regorus::Value;
use regorus::value::Object;

const ROOT: &str = "(Root)";

/// Where in the document: the names from the root on.
#[derive(Clone, Debug, Default)]
pub(super) struct Place(Vec<String>);

impl Place {
    pub(super) fn within(&self, name: &str) -> Self {
        let mut names = self.0.clone();
        names.push(name.to_owned());
        Self(names)
    }

    pub(super) fn field(&self) -> String {
        if self.0.is_empty() {
            ROOT.to_owned()
        } else {
            self.0.join(".")
        }
    }
}

#[derive(Clone, Debug)]
struct Failure {
    kind: &'static str,
    field: String,
    said: String,
}

/// Failures, and how near the document came: of several alternatives the nearest one is told.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    failures: Vec<Failure>,
    pub(super) score: i64,
}

impl Outcome {
    pub(super) fn valid(&self) -> bool {
        self.failures.is_empty()
    }

    pub(super) fn fail(&mut self, kind: &'static str, place: &Place, said: String) {
        self.failures.push(Failure {
            kind,
            field: place.field(),
            said,
        });
        self.score -= 2;
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.failures.extend(other.failures);
        self.score += other.score;
    }

    pub(super) fn document(&self) -> Value {
        let failures = self.failures.iter().map(|failure| {
            let parts = [
                ("error", format!("{}: {}", failure.field, failure.said)),
                ("type", failure.kind.to_owned()),
                ("field", failure.field.clone()),
                ("desc", failure.said.clone()),
            ];
            let parts = parts
                .into_iter()
                .map(|(name, text)| (Value::from(name), Value::from(text)));
            Value::from(parts.collect::<Object>())
        });
        Value::from(failures.collect::<Vec<_>>())
    }
}
