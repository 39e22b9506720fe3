//! `fedgate policy fmt`: `opa fmt`. What a module means is compared before and after; one that cannot be
//! written the same is named and left alone.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use super::{
    super::{Failed, say},
    author::{End, version},
    check::complain,
    diff, report, sources,
};
use crate::rego::format;

/// The command line.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Wanted {
    /// Rego files, and folders with such. None: standard input is formatted.
    paths: Vec<PathBuf>,
    /// Write the files. Otherwise their new text is printed.
    #[arg(long, short, conflicts_with_all = ["list", "diff", "check"])]
    write: bool,
    /// Name the files that would change.
    #[arg(long, short)]
    list: bool,
    /// Show what would change.
    #[arg(long, short)]
    diff: bool,
    /// A file that would change makes exit code 2.
    #[arg(long)]
    fail: bool,
    /// Name the files that would change, with exit code 2 if there is one: --list --fail over all files.
    #[arg(long)]
    check: bool,
    /// Accepted for OPA's sake: the result is always read again and compared.
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set)]
    check_result: bool,
    /// Names to leave out.
    #[arg(long)]
    ignore: Vec<String>,
    /// The policies are, and stay, Rego version 0.
    #[arg(long)]
    v0_compatible: bool,
}

/// What became of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Same,
    Changed,
    Left,
}

pub(super) fn run(wanted: &Wanted) -> Result<ExitCode, Failed> {
    if wanted.paths.is_empty() {
        let mut text = String::new();
        std::io::stdin().lock().read_to_string(&mut text)?;
        return match format::source("stdin", &text, version(wanted.v0_compatible)) {
            Ok(written) => say(written.trim_end_matches('\n')).map(|()| ExitCode::SUCCESS),
            Err(issue) => {
                let texts = [("stdin", text.as_str())].into();
                complain(&report::pretty(&[issue], &texts)).map(|()| ExitCode::FAILURE)
            }
        };
    }
    let mut files = Vec::new();
    for path in &wanted.paths {
        match sources::rego_files(path, &wanted.ignore) {
            Ok(found) => files.extend(found),
            Err(End::Lines(lines)) => return Err(Failed(lines)),
            Err(End::Issues(issues)) => return Err(Failed(issues.iter().map(ToString::to_string).collect())),
        }
    }
    let mut fates = Vec::new();
    for file in &files {
        fates.push(one(wanted, file)?);
    }
    let fails = wanted.fail || wanted.check;
    if fates.contains(&Fate::Left) || (fails && fates.contains(&Fate::Changed)) {
        return Ok(ExitCode::from(2));
    }
    Ok(ExitCode::SUCCESS)
}

fn one(wanted: &Wanted, file: &Path) -> Result<Fate, Failed> {
    let name = file.display().to_string();
    let text = fs::read_to_string(file).map_err(|error| format!("{name}: {error}"))?;
    let written = match format::source(&name, &text, version(wanted.v0_compatible)) {
        Ok(written) => written,
        Err(issue) => {
            let texts = [(name.as_str(), text.as_str())].into();
            complain(&report::pretty(&[issue], &texts))?;
            return Ok(Fate::Left);
        }
    };
    let changed = written != text;
    if wanted.write {
        if changed {
            fs::write(file, &written).map_err(|error| format!("{name}: {error}"))?;
        }
    } else if wanted.list || wanted.check || wanted.diff {
        if changed && (wanted.list || wanted.check) {
            say(&name)?;
        }
        if changed && wanted.diff {
            say(&format!(
                "--- {name}\n+++ {name} (formatted)\n{}",
                hunks(&text, &written)
            ))?;
        }
    } else if !wanted.fail {
        say(written.trim_end_matches('\n'))?;
    } else if changed {
        complain(&format!("{name}: unexpected diff"))?;
    }
    Ok(if changed { Fate::Changed } else { Fate::Same })
}

/// The lines that change, with two around them.
fn hunks(old: &str, new: &str) -> String {
    let lines = diff::lines(old, new);
    let near = |at: usize| {
        let from = at.saturating_sub(2);
        lines
            .get(from..(at + 3).min(lines.len()))
            .is_some_and(|near| near.iter().any(|line| !line.starts_with(' ')))
    };
    let kept = lines.iter().enumerate().filter(|(at, _)| near(*at));
    kept.map(|(_, line)| line.as_str())
        .collect::<Vec<&str>>()
        .join("\n")
}
