//! What a pattern is compiled to, and how it is looked for in a text: gobwas' matchers, step by step.
//!
//! They work on bytes, as Go's do. A text cut within a letter decodes to U+FFFD of one byte there, and that
//! shows in answers (`é?` does not match `éx`): those are OPA's answers, and these are the same.

use super::{
    super::fault::Fault,
    tree::Tree,
    utf8::{decode, find, find_any, find_last, find_last_any, letters, width},
};

/// Bytes looked at for one question at most: nested `*` would look at a long text again and again.
const WORK: usize = 20_000_000;

/// What one question may still look at.
pub(super) struct Work(usize);

impl Work {
    pub(super) const fn new() -> Self {
        Self(WORK)
    }

    pub(super) fn spend(&mut self, bytes: usize) -> Result<(), Fault> {
        self.0 = self.0.checked_sub(bytes.saturating_add(1)).ok_or_else(|| {
            Fault::Limit("the pattern takes too long on this text; use fewer of * and {}".to_owned())
        })?;
        Ok(())
    }
}

/// Where a part begins in a text, and the lengths that it can have there.
pub(super) type Found = Option<(usize, Vec<usize>)>;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Matcher {
    Any(Vec<char>),
    AnyOf(Vec<Self>),
    Tree(Box<Tree>),
    Contains { needle: Vec<u8>, not: bool },
    EveryOf(Vec<Self>),
    List { list: Vec<char>, not: bool },
    Max(usize),
    Min(usize),
    Nothing,
    Prefix(Vec<u8>),
    PrefixAny(Vec<u8>, Vec<char>),
    PrefixSuffix(Vec<u8>, Vec<u8>),
    Range { low: char, high: char, not: bool },
    Row { parts: Vec<Self>, len: usize },
    Single(Vec<char>),
    Suffix(Vec<u8>),
    SuffixAny(Vec<u8>, Vec<char>),
    Super,
    Text(String),
}

impl Matcher {
    /// Its length in letters, where it has only one.
    pub(super) fn len(&self) -> Option<usize> {
        match self {
            Self::List { .. } | Self::Range { .. } | Self::Single(_) => Some(1),
            Self::Nothing => Some(0),
            Self::Text(text) => Some(text.chars().count()),
            Self::Row { len, .. } => Some(*len),
            Self::Tree(tree) => tree.len(),
            Self::AnyOf(parts) => common_len(parts),
            // As it stands there: the first part already makes it unknown.
            Self::EveryOf(parts) => parts.is_empty().then_some(0),
            Self::Any(_)
            | Self::Contains { .. }
            | Self::Max(_)
            | Self::Min(_)
            | Self::Prefix(_)
            | Self::PrefixAny(..)
            | Self::PrefixSuffix(..)
            | Self::Suffix(_)
            | Self::SuffixAny(..)
            | Self::Super => None,
        }
    }

    /// Whether it is the whole of a text.
    pub(super) fn matches(&self, text: &[u8], work: &mut Work) -> Result<bool, Fault> {
        work.spend(text.len())?;
        Ok(match self {
            Self::Any(separators) => find_any(text, separators).is_none(),
            Self::AnyOf(parts) => any(parts, text, work)?,
            Self::Tree(tree) => tree.matches(text, work)?,
            Self::Contains { needle, not } => find(text, needle).is_some() != *not,
            Self::EveryOf(parts) => every(parts, text, work)?,
            Self::List { list, not } => one(text, |letter| list.contains(&letter) != *not),
            Self::Max(limit) => letters(text).nth(*limit).is_none(),
            // Without a letter there is none to be enough.
            Self::Min(limit) => letters(text).nth(limit.saturating_sub(1)).is_some(),
            Self::Nothing => text.is_empty(),
            Self::Prefix(prefix) => text.starts_with(prefix),
            Self::PrefixAny(prefix, separators) => text
                .strip_prefix(prefix.as_slice())
                .is_some_and(|rest| find_any(rest, separators).is_none()),
            Self::PrefixSuffix(prefix, suffix) => text.starts_with(prefix) && text.ends_with(suffix),
            Self::Range { low, high, not } => one(text, |letter| (*low..=*high).contains(&letter) != *not),
            Self::Row { parts, len } => letters(text).count() == *len && row(parts, text, work)?,
            Self::Single(separators) => one(text, |letter| !separators.contains(&letter)),
            Self::Suffix(suffix) => text.ends_with(suffix),
            Self::SuffixAny(suffix, separators) => text
                .strip_suffix(suffix.as_slice())
                .is_some_and(|rest| find_any(rest, separators).is_none()),
            Self::Super => true,
            Self::Text(own) => own.as_bytes() == text,
        })
    }

    /// Where it first begins in a text.
    pub(super) fn index(&self, text: &[u8], work: &mut Work) -> Result<Found, Fault> {
        work.spend(text.len())?;
        Ok(match self {
            Self::Any(separators) => {
                let end = find_any(text, separators).unwrap_or(text.len());
                Some((0, starts(text.get(..end).unwrap_or_default())))
            }
            Self::AnyOf(parts) => first_of(parts, text, work)?,
            // As it stands there: such a part is never found within another.
            Self::Tree(_) => None,
            Self::Contains { needle, not } => contains_index(text, needle, *not),
            Self::EveryOf(parts) => every_index(parts, text, work)?,
            Self::List { list, not } => one_index(text, |letter| list.contains(&letter) != *not),
            Self::Max(limit) => {
                let ends = letters(text).take(*limit).map(|(at, letter)| at + width(letter));
                Some((0, std::iter::once(0).chain(ends).collect()))
            }
            Self::Min(limit) => min_index(text, *limit),
            Self::Nothing => Some((0, vec![0])),
            Self::Prefix(prefix) => prefix_index(text, prefix, &[]),
            Self::PrefixAny(prefix, separators) => prefix_index(text, prefix, separators),
            Self::PrefixSuffix(prefix, suffix) => prefix_suffix_index(text, prefix, suffix),
            Self::Range { low, high, not } => {
                one_index(text, |letter| (*low..=*high).contains(&letter) != *not)
            }
            Self::Row { parts, len } => row_index(parts, *len, text, work)?,
            Self::Single(separators) => one_index(text, |letter| !separators.contains(&letter)),
            Self::Suffix(suffix) => find(text, suffix).map(|at| (0, vec![at + suffix.len()])),
            Self::SuffixAny(suffix, separators) => suffix_any_index(text, suffix, separators)?,
            Self::Super => Some((0, starts(text))),
            Self::Text(own) => find(text, own.as_bytes()).map(|at| (at, vec![own.len()])),
        })
    }
}

/// One letter, or none at all, of which the question is then U+FFFD's.
fn one(text: &[u8], is: impl Fn(char) -> bool) -> bool {
    let (letter, bytes) = decode(text);
    text.len() <= bytes && is(letter)
}

fn one_index(text: &[u8], is: impl Fn(char) -> bool) -> Found {
    let (at, letter) = letters(text).find(|(_, letter)| is(*letter))?;
    Some((at, vec![width(letter)]))
}

/// Where letters start, and the end.
fn starts(text: &[u8]) -> Vec<usize> {
    letters(text).map(|(at, _)| at).chain([text.len()]).collect()
}

fn common_len(parts: &[Matcher]) -> Option<usize> {
    let mut common: Option<usize> = None;
    for part in parts {
        let len = part.len();
        match common {
            // As it stands there: an unknown length at the start is forgotten.
            None => common = len,
            Some(_) if len != common => return None,
            Some(_) => {}
        }
    }
    common
}

fn any(parts: &[Matcher], text: &[u8], work: &mut Work) -> Result<bool, Fault> {
    for part in parts {
        if part.matches(text, work)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn every(parts: &[Matcher], text: &[u8], work: &mut Work) -> Result<bool, Fault> {
    for part in parts {
        if !part.matches(text, work)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The part that begins first; of those that begin there, all lengths.
fn first_of(parts: &[Matcher], text: &[u8], work: &mut Work) -> Result<Found, Fault> {
    let mut first: Found = None;
    for part in parts {
        let Some((at, lengths)) = part.index(text, work)? else {
            continue;
        };
        match &mut first {
            Some((known, all)) if *known == at => {
                all.extend(lengths);
                all.sort_unstable();
                all.dedup();
            }
            Some((known, _)) if *known < at => {}
            _ => first = Some((at, lengths)),
        }
    }
    Ok(first)
}

fn contains_index(text: &[u8], needle: &[u8], not: bool) -> Found {
    let at = find(text, needle);
    let (rest, offset) = match (at, not) {
        (None, false) => return None,
        (Some(at), false) => {
            let offset = at + needle.len();
            if text.len() <= offset {
                return Some((0, vec![offset]));
            }
            (text.get(offset..)?, offset)
        }
        (Some(at), true) => (text.get(..at)?, 0),
        (None, true) => (text, 0),
    };
    Some((0, starts(rest).into_iter().map(|at| offset + at).collect()))
}

/// Lengths that all parts have at one place, each part looked for from where the last one was found.
fn every_index(parts: &[Matcher], text: &[u8], work: &mut Work) -> Result<Found, Fault> {
    let mut index = 0;
    let mut common: Option<Vec<usize>> = None;
    for part in parts {
        let Some((behind, lengths)) = part.index(text_from(text, index)?, work)? else {
            return Ok(None);
        };
        index += behind;
        let Some(before) = common else {
            common = Some(lengths);
            continue;
        };
        work.spend(before.len().saturating_mul(lengths.len()))?;
        let both = before.iter().filter_map(|length| length.checked_sub(behind));
        let both: Vec<usize> = both.filter(|length| lengths.contains(length)).collect();
        if both.is_empty() {
            return Ok(None);
        }
        common = Some(both);
    }
    Ok(Some((index, common.unwrap_or_default())))
}

fn min_index(text: &[u8], limit: usize) -> Found {
    if text.len() < limit {
        return None;
    }
    let ends = letters(text).skip(limit.saturating_sub(1));
    let ends: Vec<usize> = ends.map(|(at, letter)| at + width(letter)).collect();
    (!ends.is_empty()).then_some((0, ends))
}

fn prefix_index(text: &[u8], prefix: &[u8], separators: &[char]) -> Found {
    let at = find(text, prefix)?;
    let rest = text.get(at + prefix.len()..).unwrap_or_default();
    let end = find_any(rest, separators).unwrap_or(rest.len());
    let ends = letters(rest.get(..end)?).map(|(at, letter)| prefix.len() + at + width(letter));
    Some((at, std::iter::once(prefix.len()).chain(ends).collect()))
}

fn prefix_suffix_index(text: &[u8], prefix: &[u8], suffix: &[u8]) -> Found {
    let begin = find(text, prefix)?;
    let mut rest = text.get(begin..)?;
    if suffix.is_empty() {
        return Some((begin, vec![rest.len()]));
    }
    let mut ends = Vec::new();
    while let Some(at) = find_last(rest, suffix) {
        ends.push(at + suffix.len());
        rest = rest.get(..at)?;
    }
    ends.reverse();
    (!ends.is_empty()).then_some((begin, ends))
}

fn suffix_any_index(text: &[u8], suffix: &[u8], separators: &[char]) -> Result<Found, Fault> {
    let Some(at) = find(text, suffix) else {
        return Ok(None);
    };
    let before = text.get(..at).unwrap_or_default();
    let begin = find_last_any(before, separators)?.map_or(0, |at| at + 1);
    Ok(Some((begin, vec![(at + suffix.len()).saturating_sub(begin)])))
}

/// Parts of known length, one behind the other. The next one begins a byte behind the start of the last letter.
fn row(parts: &[Matcher], text: &[u8], work: &mut Work) -> Result<bool, Fault> {
    let mut from = 0;
    for part in parts {
        let length = part.len().unwrap_or_default();
        let rest = text_from(text, from)?;
        let (mut next, mut count) = (0, 0);
        for (at, _) in letters(rest) {
            (next, count) = (at, count + 1);
            if count == length {
                break;
            }
        }
        if count < length {
            return Ok(false);
        }
        let piece = rest.get(..=next).ok_or_else(beyond)?;
        if !part.matches(piece, work)? {
            return Ok(false);
        }
        from += next + 1;
    }
    Ok(true)
}

fn row_index(parts: &[Matcher], len: usize, text: &[u8], work: &mut Work) -> Result<Found, Fault> {
    for (at, _) in letters(text) {
        let rest = text_from(text, at)?;
        if rest.len() < len {
            break;
        }
        if row(parts, rest, work)? {
            return Ok(Some((at, vec![len])));
        }
    }
    Ok(None)
}

fn text_from(text: &[u8], at: usize) -> Result<&[u8], Fault> {
    text.get(at..).ok_or_else(beyond)
}

/// Where gobwas reads beyond the text, and OPA's evaluation ends with it.
pub(super) fn beyond() -> Fault {
    "the pattern cannot be looked for in this text".into()
}
