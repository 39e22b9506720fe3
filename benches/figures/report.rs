//! The figures, their limits, and the summary that people and programs read.

use std::path::Path;

use serde_json::{Value, json};

/// What a figure must keep.
#[derive(Clone, Copy)]
pub enum Limit {
    AtLeast(f64),
    AtMost(f64),
    /// It is told, nothing hangs on it.
    Told,
}

struct Figure {
    name: &'static str,
    text: &'static str,
    value: f64,
    unit: &'static str,
    limit: Limit,
}

impl Figure {
    fn holds(&self, tolerance: f64) -> bool {
        match self.limit {
            Limit::AtLeast(least) => self.value >= least * (1.0 - tolerance),
            Limit::AtMost(most) => self.value <= most * (1.0 + tolerance),
            Limit::Told => true,
        }
    }

    fn number(&self, value: f64) -> String {
        let text = if value.abs() >= 100.0 || value.fract() == 0.0 {
            format!("{value:.0}")
        } else {
            format!("{value:.2}")
        };
        format!("{text} {}", self.unit).trim_end().to_owned()
    }

    fn limit_text(&self) -> String {
        match self.limit {
            Limit::AtLeast(least) => format!("≥ {}", self.number(least)),
            Limit::AtMost(most) => format!("≤ {}", self.number(most)),
            Limit::Told => String::new(),
        }
    }

    fn json(&self, tolerance: f64) -> Value {
        let (at_least, at_most) = match self.limit {
            Limit::AtLeast(least) => (Some(least), None),
            Limit::AtMost(most) => (None, Some(most)),
            Limit::Told => (None, None),
        };
        json!({
            "name": self.name, "text": self.text, "value": self.value, "unit": self.unit,
            "at_least": at_least, "at_most": at_most, "holds": self.holds(tolerance),
        })
    }
}

/// All figures of a run.
pub struct Report {
    figures: Vec<Figure>,
    tolerance: f64,
}

impl Report {
    pub fn new(tolerance: f64) -> Self {
        Self {
            figures: Vec::new(),
            tolerance,
        }
    }

    /// Adds a figure and tells it at once.
    pub fn add(
        &mut self,
        (name, text): (&'static str, &'static str),
        value: f64,
        unit: &'static str,
        limit: Limit,
    ) {
        let figure = Figure {
            name,
            text,
            value,
            unit,
            limit,
        };
        eprintln!("   {text}: {} {}", figure.number(value), figure.limit_text());
        self.figures.push(figure);
    }

    /// Writes the summary; whether every limit is kept.
    pub fn finish(&self) -> bool {
        println!("\n| figure | measured | limit | |\n|---|---|---|---|");
        for figure in &self.figures {
            let verdict = match figure.limit {
                Limit::Told => "",
                Limit::AtLeast(_) | Limit::AtMost(_) if figure.holds(self.tolerance) => "ok",
                Limit::AtLeast(_) | Limit::AtMost(_) => "MISSED",
            };
            println!(
                "| {} | {} | {} | {verdict} |",
                figure.text,
                figure.number(figure.value),
                figure.limit_text()
            );
        }
        let held = self.figures.iter().all(|figure| figure.holds(self.tolerance));
        let figures: Vec<Value> = self
            .figures
            .iter()
            .map(|figure| figure.json(self.tolerance))
            .collect();
        let cpus = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
        let document =
            json!({ "cpus": cpus, "tolerance": self.tolerance, "holds": held, "figures": figures });
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench.json");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, format!("{document:#}\n")).unwrap();
        println!("\nwritten to {}", path.display());
        held
    }
}
