//! What each page shows, as plain data. Handlers fill these; templates read them as `v`.

use serde::Serialize;

use crate::domain::{access::TargetKind, fault::Code, time::Timestamp};

/// Data of one template.
pub trait View: Serialize {
    /// The template's file name.
    const TEMPLATE: &'static str;
}

/// Which organisation? A field, not a list: customers are nobody's business.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Choose {
    /// Sealed return target, carried along.
    pub return_to: Option<String>,
    /// What the person typed before.
    pub typed: String,
    /// Why it did not work.
    pub problem: Option<Code>,
    /// The application the person goes to after signing in.
    pub next: Option<String>,
    /// The ways in of a known organisation that has several.
    pub ways: Vec<Way>,
}

/// A way to sign in.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Way {
    /// Where it begins.
    pub href: String,
    /// The upstream's name.
    pub name: String,
}

/// User name and password, for an upstream whose passwords this gateway takes itself.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SignIn {
    /// Where the form goes: `/login/<upstream>/password`.
    pub action: String,
    /// The tenant's name.
    pub organisation: String,
    /// The upstream's name.
    pub source: String,
    /// The form's proof that it is ours.
    pub form: String,
    /// Sealed return target, carried along.
    pub return_to: Option<String>,
    /// The user name typed before. Never the password.
    pub username: String,
    /// Why it did not work.
    pub problem: Option<Code>,
    /// The application the person goes to after signing in.
    pub next: Option<String>,
    /// Back to the organisation chooser.
    pub other: Option<String>,
}

/// The answer to a form that leads to another origin; goes on by itself (see [`super::headers`]).
#[derive(Debug, Clone, Default, Serialize)]
pub struct Onward {
    /// Where to.
    pub to: String,
    /// What that is, for people.
    pub place: Option<String>,
}

/// Type the code that a device shows.
#[derive(Debug, Clone, Default, Serialize)]
pub struct DeviceCode {
    /// What was typed before.
    pub typed: String,
    /// Why it did not work.
    pub problem: Option<Code>,
}

/// A person as a page names them.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Somebody {
    /// Display name.
    pub name: Option<String>,
    /// User name.
    pub username: String,
    /// The tenant's name.
    pub organisation: String,
}

/// Is it really you who asks? The page that device-code phishing has to get past.
#[derive(Debug, Clone, Default, Serialize)]
pub struct DeviceConfirm {
    /// As the device shows it.
    pub user_code: String,
    /// The client's name.
    pub client: String,
    /// Its `client_id`.
    pub client_id: String,
    /// Scopes asked for; known ones are shown in words.
    pub scopes: Vec<String>,
    /// The address the code was asked from.
    pub address: Option<String>,
    /// Whether that is also the address of this browser.
    pub same_address: bool,
    /// When the code was asked for.
    pub asked: Timestamp,
    /// When it ends.
    pub ends: Timestamp,
    /// Who would be signed in there.
    pub person: Somebody,
    /// The form's proof that it is ours.
    pub form: String,
}

/// The answer to a device has been given.
#[derive(Debug, Clone, Default, Serialize)]
pub struct DeviceDone {
    /// The client's name.
    pub client: String,
    /// Whether it was let in.
    pub allowed: bool,
}

/// My access.
#[derive(Debug, Clone, Default, Serialize)]
pub struct MyAccess {
    /// Who the cloud takes them for.
    pub person: Person,
    /// Groups held.
    pub groups: Vec<HeldLine>,
    /// Every target, allowed or not.
    pub targets: Vec<TargetLine>,
    /// Whom to ask for more.
    pub contact: Option<String>,
    /// The policy revision that answered.
    pub policy_revision: String,
    /// Commands to copy.
    pub commands: Vec<Command>,
    /// The logout form's proof that it is ours.
    pub form: String,
}

/// Who the cloud takes somebody for.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Person {
    /// Display name, user name, organisation.
    #[serde(flatten)]
    pub somebody: Somebody,
    /// E-mail address.
    pub email: Option<String>,
    /// Whether the upstream vouches for it.
    pub email_verified: bool,
    /// The upstream's name.
    pub upstream: String,
    /// The upstream's issuer.
    pub issuer: String,
    /// The upstream's subject.
    pub subject: String,
    /// The stable `sub` that targets see.
    pub sub: String,
    /// When they proved who they are.
    pub authenticated_at: Timestamp,
    /// Authentication context class.
    pub acr: Option<String>,
    /// Authentication methods.
    pub amr: Vec<String>,
    /// When the session ends.
    pub ends: Timestamp,
}

/// A group and why it is held.
#[derive(Debug, Clone, Default, Serialize)]
pub struct HeldLine {
    /// The group.
    pub name: String,
    /// The mapping rule.
    pub rule: String,
}

/// One target and what policy says about it.
#[derive(Debug, Clone, Serialize)]
pub struct TargetLine {
    /// Its name in configuration.
    pub id: String,
    /// What people read.
    pub name: String,
    /// What kind of place it is.
    pub kind: TargetKind,
    /// Whether anything is allowed.
    pub allowed: bool,
    /// Audience of tokens for it.
    pub audience: String,
    /// A credential made now would end then.
    pub until: Option<Timestamp>,
    /// The policy rule that spoke.
    pub policy_rule: String,
    /// Projects and roles, for a Keystone.
    pub projects: Vec<ProjectLine>,
    /// Groups as the target sees them.
    pub groups: Vec<GroupLine>,
    /// The access rule of a plain sign-in.
    pub session_rule: Option<String>,
    /// What a built-in rule took away.
    pub dropped: Vec<DroppedLine>,
    /// What was missing.
    pub reasons: Vec<String>,
    /// What the target itself lacks of it.
    pub lacks: Vec<String>,
    /// Whether that could not be looked up.
    pub unlooked: bool,
}

/// A project and the roles on it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ProjectLine {
    /// Keystone domain.
    pub domain: String,
    /// Project.
    pub project: String,
    /// Roles, each with the access rule that gives it.
    pub roles: Vec<HeldLine>,
}

/// A group at a target.
#[derive(Debug, Clone, Default, Serialize)]
pub struct GroupLine {
    /// As the target sees it, with prefix.
    pub shown: String,
    /// The access rule that gives it.
    pub rule: String,
}

/// Something a built-in rule took away.
#[derive(Debug, Clone, Default, Serialize)]
pub struct DroppedLine {
    /// What, in one line.
    pub what: String,
    /// The access rule that would have given it.
    pub rule: String,
    /// Code of the built-in rule.
    pub reason: String,
}

/// A command to copy.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Command {
    /// Key of its explanation in the texts (`access.commands`).
    pub what: &'static str,
    /// What it is for, where the explanation names it.
    pub about: String,
    /// The command line.
    pub line: String,
}

/// Do you want to sign out?
#[derive(Debug, Clone, Default, Serialize)]
pub struct ConfirmLogout {
    /// Where the form goes.
    pub action: String,
    /// Hidden fields, carried along (RP-Initiated Logout §2).
    pub fields: Vec<(String, String)>,
    /// Who is signed in.
    pub person: Somebody,
    /// The form's proof that it is ours.
    pub form: String,
}

/// What a sign-out closed, and what it could not.
#[derive(Debug, Clone, Default, Serialize)]
pub struct LoggedOut {
    /// Closed.
    pub closed: Vec<Thing>,
    /// Still open.
    pub open: Vec<Thing>,
    /// Back to where the person came from: a registered address.
    pub next: Option<String>,
}

/// One thing that a sign-out concerns.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Thing {
    /// Key of its sentence in the texts (`logout.things`).
    pub what: &'static str,
    /// Its name, where it has one.
    pub name: String,
}

/// What happened, why, what to do next.
#[derive(Debug, Clone, Serialize)]
pub struct Failed {
    /// Stable code.
    pub code: Code,
    /// Policy's own codes of what was missing.
    pub reasons: Vec<String>,
    /// Who is signed in, where somebody is.
    pub person: Option<Somebody>,
    /// Groups received, for a refusal.
    pub groups: Vec<String>,
    /// What was wanted: an application, a target or an upstream.
    pub place: Option<String>,
    /// Whom to ask.
    pub contact: Option<String>,
    /// Where to try again.
    pub retry: Option<String>,
}

impl Failed {
    /// A page that knows nothing but the code.
    #[must_use]
    pub fn new(code: Code) -> Self {
        Self {
            code,
            reasons: Vec::new(),
            person: None,
            groups: Vec::new(),
            place: None,
            contact: None,
            retry: None,
        }
    }
}

impl View for Choose {
    const TEMPLATE: &'static str = "choose.html";
}
impl View for SignIn {
    const TEMPLATE: &'static str = "sign_in.html";
}
impl View for Onward {
    const TEMPLATE: &'static str = "onward.html";
}
impl View for DeviceCode {
    const TEMPLATE: &'static str = "device_code.html";
}
impl View for DeviceConfirm {
    const TEMPLATE: &'static str = "device_confirm.html";
}
impl View for DeviceDone {
    const TEMPLATE: &'static str = "device_done.html";
}
impl View for MyAccess {
    const TEMPLATE: &'static str = "my_access.html";
}
impl View for ConfirmLogout {
    const TEMPLATE: &'static str = "confirm_logout.html";
}
impl View for LoggedOut {
    const TEMPLATE: &'static str = "logged_out.html";
}
impl View for Failed {
    const TEMPLATE: &'static str = "failed.html";
}
