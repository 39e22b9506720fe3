//! Rules across the sections: what a schema cannot say. Each item is looked at by itself, so that one broken
//! item hides nothing about the others.

mod files;
mod names;
mod partners;
mod places;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    domain::{client::ClientSettings, tenant::Tenant},
    policy::{self, AccessRule},
    target, upstream,
};

use super::{Environment, Problem, load::Source, load::typed};

/// The sections as far as they can be read: each item with its place in the list.
struct Draft<'a> {
    source: &'a Source,
    tenants: Vec<(usize, Tenant)>,
    upstreams: Vec<(usize, upstream::Declared)>,
    targets: Vec<(usize, target::Declared)>,
    clients: Vec<(usize, ClientSettings)>,
    access: Vec<(usize, AccessRule)>,
    policy: Option<policy::Config>,
    /// Whether every item of the lists above could be read. If not, what is computed from whole lists waits.
    whole: bool,
}

/// Everything that is wrong beyond the shape.
pub(super) fn check(source: &Source, environment: &Environment) -> Vec<Problem> {
    let draft = Draft::of(source);
    let mut problems = Vec::new();
    problems.extend(draft.unread());
    files::check(source, environment, &mut problems);
    problems.extend(draft.across());
    problems
}

/// The same but for what each item says by itself and for the files: of a tree whose parts have been looked at, and of
/// which some are open, whatever has become of their files.
pub(super) fn across(source: &Source) -> Vec<Problem> {
    Draft::of(source).across()
}

impl<'a> Draft<'a> {
    fn of(source: &'a Source) -> Self {
        let mut whole = true;
        Self {
            source,
            tenants: items(source, "tenants", &mut whole),
            upstreams: items(source, "upstreams", &mut whole),
            targets: items(source, "targets", &mut whole),
            clients: items(source, "clients", &mut whole),
            access: items(source, "access", &mut whole),
            policy: source
                .tree
                .get("policy")
                .map_or(Some(policy::Config::default()), |tree| typed(tree).ok()),
            whole,
        }
    }

    fn across(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        names::check(self, &mut problems);
        places::check(self, &mut problems);
        problems
    }

    /// Items whose shape is right and which the types refuse all the same, in the types' own words.
    fn unread(&self) -> Vec<Problem> {
        let schema = super::schema();
        let mut walk = super::shape::Walk::new(&schema);
        walk.compare(&schema, &self.source.tree, "");
        let mut found = Vec::new();
        for section in ["tenants", "upstreams", "targets", "clients", "access"] {
            for (index, item) in list(self.source, section).iter().enumerate() {
                let path = format!("{section}[{index}]");
                let told = walk
                    .findings
                    .iter()
                    .any(|finding| finding.path == path || finding.path.starts_with(&format!("{path}.")));
                let refusal = match section {
                    "tenants" => typed::<Tenant>(item).err(),
                    "upstreams" => typed::<upstream::Declared>(item).err(),
                    "targets" => typed::<target::Declared>(item).err(),
                    "clients" => typed::<ClientSettings>(item).err(),
                    _ => typed::<AccessRule>(item).err(),
                };
                if let Some((at, why)) = refusal.filter(|_| !told) {
                    let path = if at.is_empty() {
                        path
                    } else {
                        format!("{path}.{at}")
                    };
                    found.push(self.source.problem(&path, "a value that cannot be used", why));
                }
            }
        }
        found
    }

    fn say(
        &self,
        problems: &mut Vec<Problem>,
        path: &str,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) {
        problems.push(self.source.problem(path, found, expected));
    }
}

fn list<'a>(source: &'a Source, section: &str) -> &'a [Value] {
    source
        .tree
        .get(section)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn items<T: DeserializeOwned>(source: &Source, section: &str, whole: &mut bool) -> Vec<(usize, T)> {
    let all = list(source, section);
    let read: Vec<(usize, T)> = all
        .iter()
        .enumerate()
        .filter_map(|(index, item)| Some((index, typed(item).ok()?)))
        .collect();
    *whole &= read.len() == all.len();
    read
}
