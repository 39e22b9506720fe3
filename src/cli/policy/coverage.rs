//! Lines of policies that tests use, summed over tests, in OPA's report.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use super::data;
use crate::rego::Coverage;

/// Lines used and not used by file.
#[derive(Debug, Default)]
pub(super) struct Covered {
    files: BTreeMap<String, (BTreeSet<u32>, BTreeSet<u32>)>,
}

impl Covered {
    /// Adds what one test used. A line that any test uses is used.
    pub(super) fn add(&mut self, coverage: Coverage) {
        for file in coverage {
            let (used, left) = self.files.entry(file.file).or_default();
            used.extend(file.covered);
            left.extend(file.not_covered);
            left.retain(|row| !used.contains(row));
        }
    }

    fn counts(&self) -> (usize, usize) {
        let files = self.files.values();
        files.fold((0, 0), |(used, left), (more, other)| {
            (used + more.len(), left + other.len())
        })
    }

    pub(super) fn percent(&self) -> f64 {
        let (used, left) = self.counts();
        share(used, left)
    }

    /// A line for each file.
    pub(super) fn summary(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .files
            .iter()
            .map(|(file, (used, left))| format!("{:6.2} % {file}", share(used.len(), left.len())))
            .collect();
        lines.push(format!("{:6.2} % of all lines", self.percent()));
        lines
    }

    /// `file:row` or `file:row-row`.
    pub(super) fn uncovered(&self) -> Vec<String> {
        let all = self.files.iter().flat_map(|(file, (_, left))| {
            ranges(left).into_iter().map(move |(start, end)| {
                if start == end {
                    format!("{file}:{start}")
                } else {
                    format!("{file}:{start}-{end}")
                }
            })
        });
        all.collect()
    }

    /// OPA's report. Its ranges are lines: the engine does not know columns.
    pub(super) fn json(&self) -> String {
        let mut files = Map::new();
        for (file, (used, left)) in &self.files {
            let mut report = Map::new();
            for (name, rows) in [("covered", used), ("not_covered", left)] {
                if !rows.is_empty() {
                    let spans = ranges(rows).into_iter();
                    let spans =
                        spans.map(|(start, end)| json!({"start": {"row": start}, "end": {"row": end}}));
                    report.insert(name.to_owned(), Json::Array(spans.collect()));
                    report.insert(format!("{name}_lines"), json!(rows.len()));
                }
            }
            let share = share(used.len(), left.len());
            if share > 0.0 {
                report.insert("coverage".to_owned(), json!(share));
            }
            files.insert(file.clone(), Json::Object(report));
        }
        let (used, left) = self.counts();
        data::pretty(&json!({
            "files": files,
            "covered_lines": used,
            "not_covered_lines": left,
            "coverage": self.percent(),
        }))
    }
}

fn share(used: usize, left: usize) -> f64 {
    let count = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    if used + left == 0 {
        return 0.0;
    }
    100.0 * count(used) / count(used + left)
}

/// Rows one after the other as spans.
fn ranges(rows: &BTreeSet<u32>) -> Vec<(u32, u32)> {
    let mut spans: Vec<(u32, u32)> = Vec::new();
    for row in rows {
        match spans.last_mut() {
            Some((_, end)) if *end + 1 == *row => *end = *row,
            _ => spans.push((*row, *row)),
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rego::FileCoverage;

    #[test]
    fn a_line_that_one_test_uses_is_used() {
        let one = |covered: &[u32], not_covered: &[u32]| FileCoverage {
            file: "p.rego".to_owned(),
            covered: covered.iter().copied().collect(),
            not_covered: not_covered.iter().copied().collect(),
        };
        let mut covered = Covered::default();
        covered.add(vec![one(&[1, 2], &[3, 4, 6])]);
        covered.add(vec![one(&[3], &[1, 2, 4, 6])]);
        assert_eq!(covered.uncovered(), ["p.rego:4", "p.rego:6"]);
        assert!((covered.percent() - 60.0).abs() < 0.01);
    }
}
