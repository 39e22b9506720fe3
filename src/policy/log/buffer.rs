//! Events that wait for an upload: bounded, in order; when it is full the newest is dropped.

use std::{
    collections::VecDeque,
    io::Write as _,
    sync::{Mutex, MutexGuard, PoisonError},
};

use flate2::{Compression, write::GzEncoder};

/// Most bytes that wait, whatever the number of events.
const MOST_BYTES: usize = 64 << 20;

/// The waiting events, each a JSON text.
#[derive(Debug)]
pub(super) struct Buffer {
    most: usize,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    events: VecDeque<String>,
    bytes: usize,
}

impl Buffer {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            waiting: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing that could panic is done under the lock.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it was taken.
    pub(super) fn push(&self, event: String) -> bool {
        let mut waiting = self.lock();
        if waiting.events.len() >= self.most || waiting.bytes.saturating_add(event.len()) > MOST_BYTES {
            return false;
        }
        waiting.bytes += event.len();
        waiting.events.push_back(event);
        true
    }

    /// Takes the oldest events of together at most `bytes`; at least one, if there is one.
    pub(super) fn take(&self, bytes: usize) -> Vec<String> {
        let mut waiting = self.lock();
        let (mut taken, mut sum) = (Vec::new(), 2);
        while let Some(next) = waiting.events.front() {
            if !taken.is_empty() && sum + next.len() + 1 > bytes {
                break;
            }
            if let Some(event) = waiting.events.pop_front() {
                sum += event.len() + 1;
                waiting.bytes = waiting.bytes.saturating_sub(event.len());
                taken.push(event);
            }
        }
        taken
    }

    /// Puts events back to the front: they were not sent. They keep their place before newer ones.
    pub(super) fn put_back(&self, events: Vec<String>) {
        let mut waiting = self.lock();
        for event in events.into_iter().rev() {
            waiting.bytes += event.len();
            waiting.events.push_front(event);
        }
    }
}

/// A gzip of a JSON array.
pub(super) fn packed(events: &[String]) -> std::io::Result<Vec<u8>> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(b"[")?;
    for (index, event) in events.iter().enumerate() {
        if index > 0 {
            gzip.write_all(b",")?;
        }
        gzip.write_all(event.as_bytes())?;
    }
    gzip.write_all(b"]\n")?;
    gzip.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_is_dropped_and_order_is_kept() {
        let buffer = Buffer::new(3);
        for (event, taken) in [("1", true), ("2", true), ("3", true), ("4", false)] {
            assert_eq!(buffer.push(event.to_owned()), taken);
        }
        assert_eq!(buffer.take(7), ["1", "2"]);
        assert!(buffer.push("5".to_owned()));
        buffer.put_back(vec!["1".to_owned(), "2".to_owned()]);
        assert!(!buffer.push("6".to_owned()));
        assert_eq!(buffer.take(1000), ["1", "2", "3", "5"]);
        assert!(buffer.take(1000).is_empty());
        assert!(buffer.push("x".repeat(100)));
        assert_eq!(buffer.take(1).len(), 1);
    }
}
