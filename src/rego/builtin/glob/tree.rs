//! A part of known length with what stands before and behind it.

use super::{
    super::fault::Fault,
    matcher::{Matcher, Work, beyond},
    utf8::decode,
};

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tree {
    pub(super) value: Matcher,
    pub(super) left: Option<Matcher>,
    pub(super) right: Option<Matcher>,
    /// Of the parts as they were put together: what becomes of them later does not change it.
    lengths: [Option<usize>; 3],
}

impl Tree {
    pub(super) fn new(value: Matcher, left: Option<Matcher>, right: Option<Matcher>) -> Self {
        let side = |side: &Option<Matcher>| side.as_ref().map_or(Some(0), Matcher::len);
        Self {
            lengths: [side(&left), value.len(), side(&right)],
            value,
            left,
            right,
        }
    }

    pub(super) fn len(&self) -> Option<usize> {
        self.lengths.into_iter().sum()
    }

    /// Each place of the value is tried, and there each of its lengths, the longest first.
    pub(super) fn matches(&self, text: &[u8], work: &mut Work) -> Result<bool, Fault> {
        if self.len().is_some_and(|len| len > text.len()) {
            return Ok(false);
        }
        let [left, _, right] = self.lengths;
        let mut from = left.unwrap_or(0);
        let Some(end) = text.len().checked_sub(right.unwrap_or(0)) else {
            return Ok(false);
        };
        while from < end {
            let within = text.get(from..end).ok_or_else(beyond)?;
            let Some((at, lengths)) = self.value.index(within, work)? else {
                return Ok(false);
            };
            let at = from + at;
            let (before, behind) = text.split_at_checked(at).ok_or_else(beyond)?;
            if side(self.left.as_ref(), before, work)? {
                for length in lengths.into_iter().rev() {
                    let rest = behind.get(length..).unwrap_or_default();
                    if side(self.right.as_ref(), rest, work)? {
                        return Ok(true);
                    }
                }
            }
            from = at + decode(behind).1;
        }
        Ok(false)
    }
}

fn side(part: Option<&Matcher>, text: &[u8], work: &mut Work) -> Result<bool, Fault> {
    part.map_or(Ok(text.is_empty()), |part| part.matches(text, work))
}
