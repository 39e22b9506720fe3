//! What a running engine holds and how it changes: one writer at a time, all or nothing, readers without a lock.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use regorus::Value;

use super::{
    current::Current,
    draft::Draft,
    fault::{ChangeFault, Refused},
    snapshot::{Options, Snapshot},
};

/// Policies by id, base documents and bundles.
pub struct Store {
    options: Options,
    current: Current<Snapshot>,
    writer: Mutex<Draft>,
}

impl fmt::Debug for Store {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Store").finish_non_exhaustive()
    }
}

impl Store {
    /// An empty store.
    pub fn open(options: Options) -> Result<Self, Refused> {
        let empty = Snapshot::build(Vec::new(), Value::new_object(), &options)?;
        Ok(Self {
            options,
            current: Current::new(empty),
            writer: Mutex::new(Draft::empty()),
        })
    }

    /// What answers now. One request takes it once, so that it sees one state.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.current.take()
    }

    /// Reads policies and bundles as they stand.
    pub fn read<R>(&self, look: impl FnOnce(&Draft) -> R) -> R {
        look(&self.writer.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Edits a draft, builds and checks a snapshot of it off to the side, and swaps. On any failure what runs
    /// now goes on, whole.
    pub fn change<R>(
        &self,
        edit: impl FnOnce(&mut Draft) -> Result<R, ChangeFault>,
    ) -> Result<R, ChangeFault> {
        // A writer that panicked left the old draft: the new one is only stored whole.
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut draft = writer.clone();
        let answer = edit(&mut draft)?;
        let touched = draft.touched();
        if touched.policies {
            let built = Snapshot::build(draft.modules(), draft.root().clone(), &self.options);
            let built = built.map_err(ChangeFault::Refused)?.of_bundles(draft.revisions());
            self.current.replace(built);
        } else if touched.data {
            let built = self.current.look().with_data(draft.root().clone(), &self.options);
            let built = built.map_err(ChangeFault::Refused)?.of_bundles(draft.revisions());
            self.current.replace(built);
        }
        draft.settle();
        *writer = draft;
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rego::{
        How, Version,
        bundle::{Bundle, Manifest},
        module::Module,
    };

    fn path(text: &str) -> Vec<String> {
        text.split('/').map(str::to_owned).collect()
    }
    fn store() -> Store {
        let store = Store::open(Options::default()).unwrap();
        store
            .change(|draft| {
                draft.put_policy("p", "package p\nx := data.d.n", Version::V1)?;
                draft.put_data(&path("d/n"), Value::from(1))
            })
            .unwrap();
        store
    }
    fn answer(store: &Store) -> Option<Value> {
        let evaluated = store
            .snapshot()
            .evaluate(&["p", "x"], None, &How::default())
            .unwrap();
        evaluated.value
    }

    #[test]
    fn a_change_is_whole_or_nothing() {
        let store = store();
        assert_eq!(answer(&store), Some(Value::from(1)));
        let before = store.snapshot();
        let fault = store
            .change(|draft| {
                draft.put_data(&path("d/n"), Value::from(2))?;
                draft.put_policy("q", "package q\nx if {", Version::V1)
            })
            .unwrap_err();
        assert!(matches!(fault, ChangeFault::Refused(_)), "{fault}");
        let clash = store
            .change(|draft| draft.put_data(&path("p/x"), Value::from(2)))
            .unwrap_err();
        assert!(matches!(clash, ChangeFault::Refused(_)), "{clash}");
        assert!(Arc::ptr_eq(&before, &store.snapshot()));
        store
            .change(|draft| draft.put_data(&path("d/n"), Value::from(2)))
            .unwrap();
        assert_eq!(answer(&store), Some(Value::from(2)));
        assert_eq!(before.data().to_string(), r#"{"d":{"n":1}}"#);
    }

    #[test]
    fn the_same_text_changes_nothing() {
        let store = store();
        let before = store.snapshot();
        let changed = store
            .change(|draft| draft.put_policy("p", "package p\nx := data.d.n", Version::V1))
            .unwrap();
        assert!(!changed && Arc::ptr_eq(&before, &store.snapshot()));
        store.change(|draft| draft.remove_policy("p")).unwrap();
        assert_eq!(answer(&store), None);
        let fault = store.change(|draft| draft.remove_policy("p")).unwrap_err();
        assert!(matches!(fault, ChangeFault::NotFound(_)));
    }

    fn bundle(roots: &[&str], text: &str, data: &str) -> Bundle {
        Bundle {
            manifest: Manifest {
                revision: "1".into(),
                roots: roots.iter().map(|&root| root.to_owned()).collect(),
                ..Manifest::default()
            },
            modules: vec![Module {
                id: "b.rego".into(),
                text: text.into(),
                version: Version::V1,
            }],
            data: Value::from_json_str(data).unwrap(),
        }
    }

    #[test]
    fn a_bundle_owns_its_roots() {
        let store = store();
        let own = bundle(&["b", "c"], "package b\ny := data.c.k", r#"{"c": {"k": 7}}"#);
        store.change(|draft| draft.activate("main", own.clone())).unwrap();
        let ask = || {
            store
                .snapshot()
                .evaluate(&["b", "y"], None, &How::default())
                .unwrap()
                .value
        };
        assert_eq!(ask(), Some(Value::from(7)));
        for fault in [
            store
                .change(|draft| draft.remove_policy("main/b.rego"))
                .unwrap_err(),
            store
                .change(|draft| {
                    draft
                        .put_policy("main/b.rego", "package z", Version::V1)
                        .map(drop)
                })
                .unwrap_err(),
            store
                .change(|draft| draft.put_data(&[], Value::new_object()))
                .unwrap_err(),
            store
                .change(|draft| draft.put_data(&path("c/k"), Value::from(8)))
                .unwrap_err(),
            store
                .change(|draft| {
                    draft
                        .put_policy("r", "package b.sub\nz := 1", Version::V1)
                        .map(drop)
                })
                .unwrap_err(),
            store
                .change(|draft| draft.activate("other", bundle(&["c/k"], "package c.k.z", "{}")))
                .unwrap_err(),
            store
                .change(|draft| draft.activate("main", bundle(&["b"], "package c\n", "{}")))
                .unwrap_err(),
            store
                .change(|draft| draft.activate("main", bundle(&["b"], "package b\n", r#"{"x": 1}"#)))
                .unwrap_err(),
        ] {
            let kept = matches!(fault, ChangeFault::Conflict(_) | ChangeFault::Owned(_));
            assert!(kept, "{fault:?}");
            assert_eq!(ask(), Some(Value::from(7)));
        }
        let next = bundle(&["b"], "package b\ny := 8", "{}");
        store.change(|draft| draft.activate("main", next)).unwrap();
        assert_eq!(ask(), Some(Value::from(8)));
        assert_eq!(store.snapshot().data().to_string(), r#"{"d":{"n":1}}"#);
        store.change(|draft| draft.deactivate("main")).unwrap();
        assert_eq!(ask(), None);
        assert_eq!(answer(&store), Some(Value::from(1)));
    }
}
