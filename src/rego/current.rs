//! What is in use now, and its replacement: readers need no lock, and none of them frees what was replaced.

use std::{fmt, sync::Arc, thread, time::Duration};

use arc_swap::{ArcSwap, Guard};

/// How often it is looked whether the last reader has gone.
const LOOK: Duration = Duration::from_millis(10);

/// A value that many read while it is replaced as a whole.
pub struct Current<T>(ArcSwap<T>);

impl<T> fmt::Debug for Current<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Current(…)")
    }
}

impl<T: Send + Sync + 'static> Current<T> {
    /// The first one.
    pub fn new(first: T) -> Self {
        Self(ArcSwap::from_pointee(first))
    }

    /// For as long as a few calls take.
    pub fn look(&self) -> Guard<Arc<T>> {
        self.0.load()
    }

    /// To keep.
    pub fn take(&self) -> Arc<T> {
        self.0.load_full()
    }

    /// Puts another in its place. To free 20 MB takes tens of milliseconds: whoever reads the old one last would pay
    /// for it within a decision, so the old one is kept until nobody reads it.
    pub fn replace(&self, next: T) {
        let old = self.0.swap(Arc::new(next));
        if Arc::strong_count(&old) == 1 {
            return;
        }
        let waits = thread::Builder::new().name("old-state".to_owned());
        let waiting = waits.spawn(move || {
            while Arc::strong_count(&old) > 1 {
                thread::sleep(LOOK);
            }
        });
        if let Err(problem) = waiting {
            tracing::warn!(%problem, "the state that was replaced is freed by its last reader");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread::ThreadId};

    use super::*;

    struct Tells(mpsc::Sender<ThreadId>);

    impl Drop for Tells {
        fn drop(&mut self) {
            self.0.send(thread::current().id()).unwrap();
        }
    }

    #[test]
    fn no_reader_frees_what_was_replaced() {
        let (told, freed) = mpsc::channel();
        let current = Current::new(Tells(told.clone()));
        let reader = current.take();
        current.replace(Tells(told.clone()));
        assert!(freed.try_recv().is_err(), "somebody still reads it");
        drop(reader);
        let by = freed.recv_timeout(Duration::from_secs(10)).unwrap();
        assert_ne!(by, thread::current().id());
        // Where nobody reads, there is nothing to wait for.
        current.replace(Tells(told));
        assert_eq!(freed.try_recv(), Ok(thread::current().id()));
    }
}
