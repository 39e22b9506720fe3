//! What was compiled once is kept for the next call of the thread, within a bound.

use std::{borrow::Borrow, collections::BTreeMap};

/// Compiled patterns that a thread keeps of a kind, as many as OPA.
const MOST: usize = 100;

/// Compiled things by what they were compiled from.
#[derive(Debug)]
pub(super) struct Kept<K, V>(BTreeMap<K, V>);

impl<K: Ord, V: Clone> Kept<K, V> {
    pub(super) const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// What is kept for `key`, or else what `make` makes of it. A failure is not kept.
    pub(super) fn or_made<Q, E>(&mut self, key: &Q, make: impl FnOnce(&Q) -> Result<V, E>) -> Result<V, E>
    where
        K: Borrow<Q>,
        Q: Ord + ToOwned<Owned = K> + ?Sized,
    {
        if let Some(known) = self.0.get(key) {
            return Ok(known.clone());
        }
        let made = make(key)?;
        if self.0.len() >= MOST {
            self.0.pop_first();
        }
        self.0.insert(key.to_owned(), made.clone());
        Ok(made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_is_kept_within_the_bound() {
        let mut kept: Kept<usize, usize> = Kept::new();
        let mut made = 0;
        for round in 0..2 {
            for key in 0..MOST {
                let value = kept.or_made(&key, |key| {
                    made += 1;
                    Ok::<_, ()>(*key)
                });
                assert_eq!(value, Ok(key), "round {round}");
            }
        }
        assert_eq!(made, MOST);
        assert_eq!(kept.or_made(&MOST, |_| Err("no")), Err("no"));
        assert_eq!(kept.or_made(&MOST, |_| Ok::<_, ()>(7)), Ok(7));
        assert_eq!(kept.0.len(), MOST);
    }
}
