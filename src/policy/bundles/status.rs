//! Each bundle's state, for those who ask.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, SecondsFormat};
use serde_json::json;

use crate::{
    port::bundles::{BundleStatus, Bundles},
    rego::{ChangeFault, Issue},
};

/// Go's zero time: what has not happened yet.
const NEVER: &str = "0001-01-01T00:00:00Z";
/// OPA's code for everything that goes wrong with a bundle.
const CODE: &str = "bundle_error";

/// The states of all bundles.
#[derive(Debug)]
pub(super) struct Board {
    states: Mutex<BTreeMap<String, BundleStatus>>,
}

/// What went wrong.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    pub(super) message: String,
    pub(super) errors: Vec<serde_json::Value>,
    pub(super) http_code: Option<u16>,
}

impl Trouble {
    pub(super) fn said(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            ..Self::default()
        }
    }

    /// In OPA's words: compile errors are a list beside one message.
    pub(super) fn of(fault: &ChangeFault) -> Self {
        match fault {
            ChangeFault::Refused(refused) => Self {
                message: "error(s) occurred while compiling module(s)".to_owned(),
                errors: refused.0.iter().map(issue).collect(),
                http_code: None,
            },
            other @ (ChangeFault::NotFound(_)
            | ChangeFault::Conflict(_)
            | ChangeFault::Owned(_)
            | ChangeFault::BadPatch(_)) => Self::said(other.to_string()),
        }
    }
}

fn issue(issue: &Issue) -> serde_json::Value {
    let mut error = json!({ "code": issue.code, "message": issue.message });
    if let (Some(error), Some(place)) = (error.as_object_mut(), &issue.place) {
        error.insert(
            "location".to_owned(),
            json!({ "file": place.file, "row": place.row, "col": place.col }),
        );
    }
    if let (Some(error), Some(instead)) = (error.as_object_mut(), &issue.instead) {
        error.insert("instead".to_owned(), instead.clone().into());
    }
    error
}

impl Board {
    pub(super) fn new<'a>(names: impl Iterator<Item = &'a String>) -> Self {
        let states = names.map(|name| {
            let state = BundleStatus {
                name: name.clone(),
                active_revision: String::new(),
                last_successful_activation: NEVER.to_owned(),
                kind: String::new(),
                size: 0,
                last_successful_download: NEVER.to_owned(),
                last_successful_request: NEVER.to_owned(),
                last_request: NEVER.to_owned(),
                code: String::new(),
                message: String::new(),
                errors: Vec::new(),
                http_code: None,
                metrics: BTreeMap::new(),
            };
            (name.clone(), state)
        });
        Self {
            states: Mutex::new(states.collect()),
        }
    }

    fn with(&self, name: &str, change: impl FnOnce(&mut BundleStatus)) {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = states.get_mut(name) {
            change(state);
        }
    }

    /// It is being asked for.
    pub(super) fn asked(&self, name: &str, now_ns: i64) {
        self.with(name, |state| state.last_request = time(now_ns));
    }

    /// Its source has answered.
    pub(super) fn answered(&self, name: &str, (began_ns, now_ns): (i64, i64)) {
        self.with(name, |state| {
            state.last_successful_request = time(now_ns);
            state
                .metrics
                .insert("timer_bundle_request_ns".to_owned(), span(began_ns, now_ns));
        });
    }

    /// Nothing has changed, and nothing is wrong.
    pub(super) fn unchanged(&self, name: &str) {
        self.with(name, clear);
    }

    /// It has arrived whole.
    pub(super) fn arrived(&self, name: &str, now_ns: i64) {
        self.with(name, |state| state.last_successful_download = time(now_ns));
    }

    /// It is in use.
    pub(super) fn in_use(
        &self,
        name: &str,
        (revision, size): (&str, Option<usize>),
        (began_ns, now_ns): (i64, i64),
    ) {
        self.with(name, |state| {
            clear(state);
            revision.clone_into(&mut state.active_revision);
            state.last_successful_activation = time(now_ns);
            "snapshot".clone_into(&mut state.kind);
            state.size = size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0);
            state
                .metrics
                .insert("timer_rego_load_bundles_ns".to_owned(), span(began_ns, now_ns));
        });
    }

    /// The last attempt has failed; what was in use is in use.
    pub(super) fn failed(&self, name: &str, trouble: Trouble) {
        self.with(name, |state| {
            CODE.clone_into(&mut state.code);
            state.message = trouble.message;
            state.errors = trouble.errors;
            state.http_code = trouble.http_code;
        });
    }
}

fn clear(state: &mut BundleStatus) {
    state.code.clear();
    state.message.clear();
    state.errors.clear();
    state.http_code = None;
}

fn time(now_ns: i64) -> String {
    DateTime::from_timestamp_nanos(now_ns).to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn span(began_ns: i64, now_ns: i64) -> u64 {
    u64::try_from(now_ns.saturating_sub(began_ns)).unwrap_or(0)
}

impl Bundles for Board {
    fn status(&self) -> BTreeMap<String, BundleStatus> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn activated(&self) -> bool {
        let states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        states
            .values()
            .all(|state| state.last_successful_activation != NEVER)
    }
}
