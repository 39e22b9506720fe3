//! Where texts and answers go: answers to stdout, texts to stderr.

use std::io::Write;
use std::process::ExitCode;

use super::args::{Args, Language, Output};
use super::problem::Problem;
use super::texts;

/// The person's terminal, or the pipe in its place.
#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    /// Of all texts.
    pub language: Language,
    /// Of answers and errors.
    pub output: Output,
}

impl Terminal {
    /// By `--language`, or else by the locale in the order of POSIX: `LC_ALL`, `LC_MESSAGES`, `LANG`.
    #[expect(clippy::disallowed_methods, reason = "a command line reads its environment")]
    pub fn of(args: &Args) -> Self {
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .iter()
            .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
        let spoken = match locale {
            Some(locale) if locale.starts_with("de") => Language::De,
            Some(_) | None => Language::En,
        };
        Self {
            language: args.language.unwrap_or(spoken),
            output: args.output,
        }
    }

    /// The text of the person's language.
    pub fn pick(self, english: impl Into<String>, german: impl Into<String>) -> String {
        match self.language {
            Language::En => english.into(),
            Language::De => german.into(),
        }
    }

    /// A text for the person. A closed stderr is no reason to stop.
    pub fn say(self, text: &str) {
        let _ = writeln!(std::io::stderr().lock(), "{}", printable(text));
    }

    /// The answer, with a line end.
    pub fn answer(self, text: &str) -> std::io::Result<()> {
        self.answer_raw(&format!("{text}\n"))
    }

    /// The answer as it is.
    pub fn answer_raw(self, text: &str) -> std::io::Result<()> {
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }

    /// Explains `problem` and gives its exit code.
    pub fn fail(self, problem: &Problem) -> ExitCode {
        let explained = texts::explain(problem, self);
        match self.output {
            Output::Text => {
                self.say(&format!("fedctl: {}", explained.what));
                self.say(&format!("  {}", explained.why));
                self.say(&format!("  {}", explained.next));
                if let Some(reference) = problem.reference() {
                    self.say(&format!("  {}: {reference}", self.pick("Reference", "Referenz")));
                }
            }
            Output::Json => self.say(
                &serde_json::json!({
                    "error": problem.oauth_code().unwrap_or("failed"),
                    "code": problem.code(),
                    "reasons": problem.reasons(),
                    "what": explained.what,
                    "why": explained.why,
                    "next": explained.next,
                    "reference": problem.reference(),
                })
                .to_string(),
            ),
        }
        ExitCode::from(problem.exit_code())
    }
}

/// Text out of a server's answer must not move the cursor or recolour the terminal.
fn printable(text: &str) -> String {
    text.chars()
        .map(|letter| {
            if letter.is_control() && letter != '\n' {
                '\u{fffd}'
            } else {
                letter
            }
        })
        .collect()
}
