//! Letters and pieces of bytes, as Go's `strings` and `unicode/utf8` find them.

use super::{super::fault::Fault, matcher::beyond};

/// The first letter and its bytes. Bytes that are none are U+FFFD, one at a time; of nothing it is U+FFFD, too.
pub(super) fn decode(text: &[u8]) -> (char, usize) {
    let Some(first) = text.first() else {
        return (char::REPLACEMENT_CHARACTER, 0);
    };
    if first.is_ascii() {
        return (char::from(*first), 1);
    }
    let start = text.get(..4).unwrap_or(text);
    let valid = start.utf8_chunks().next().map(|chunk| chunk.valid());
    match valid.and_then(|valid| valid.chars().next()) {
        Some(letter) => (letter, letter.len_utf8()),
        None => (char::REPLACEMENT_CHARACTER, 1),
    }
}

/// The bytes of a letter, which are three of one that was none.
pub(super) const fn width(letter: char) -> usize {
    letter.len_utf8()
}

/// Each letter with where it starts.
pub(super) fn letters(text: &[u8]) -> impl Iterator<Item = (usize, char)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
        let (letter, bytes) = decode(rest);
        let found = (at, letter);
        at += bytes;
        Some(found)
    })
}

/// Where a piece begins.
pub(super) fn find(text: &[u8], piece: &[u8]) -> Option<usize> {
    if piece.is_empty() {
        return Some(0);
    }
    text.windows(piece.len()).position(|window| window == piece)
}

/// Where a piece begins for the last time.
pub(super) fn find_last(text: &[u8], piece: &[u8]) -> Option<usize> {
    if piece.is_empty() {
        return Some(text.len());
    }
    text.windows(piece.len()).rposition(|window| window == piece)
}

fn find_letter(text: &[u8], letter: char) -> Option<usize> {
    if letter == char::REPLACEMENT_CHARACTER {
        return letters(text)
            .find(|(_, found)| *found == letter)
            .map(|(at, _)| at);
    }
    find(text, letter.encode_utf8(&mut [0; 4]).as_bytes())
}

/// Where the first of these letters that is there at all first stands: not the one that stands first.
pub(super) fn find_any(text: &[u8], letters: &[char]) -> Option<usize> {
    letters.iter().find_map(|letter| find_letter(text, *letter))
}

/// The same from the end. Beyond ASCII gobwas loses count, and reads beyond the text.
pub(super) fn find_last_any(text: &[u8], letters: &[char]) -> Result<Option<usize>, Fault> {
    for letter in letters {
        let mut last = None;
        if letter.is_ascii() {
            last = find_last(text, letter.encode_utf8(&mut [0; 4]).as_bytes());
        } else {
            let mut rest = text;
            while !rest.is_empty()
                && let Some(at) = find_letter(text, *letter)
            {
                last = Some(at);
                rest = rest.get(at + 1..).ok_or_else(beyond)?;
            }
        }
        if last.is_some() {
            return Ok(last);
        }
    }
    Ok(None)
}
