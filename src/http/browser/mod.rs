//! The doors for people with a browser: choose an organisation, sign in, My access, devices, sign out.
//!
//! A handler parses, makes one broker call, renders. No rule lives here. Return targets are sealed own
//! paths; forms carry a proof bound to the browser. Start at [`Front::routes`].

mod access;
mod ask;
mod backchannel;
mod begin;
mod callback;
mod choose;
pub mod cookie;
mod device;
pub(in crate::http) mod logout;
mod password;

use std::sync::Arc;

use axum::{
    Router,
    response::Response,
    routing::{get, post},
};
use http::{HeaderValue, StatusCode, header};

pub use ask::Ask;

use crate::{
    broker::{
        device::DeviceDesk,
        directory::{Directory, Source},
        login::{Logins, Return},
        logout::Logouts,
        overview::Overview,
        recheck::Rechecks,
        session::{Live, SessionDesk},
    },
    domain::{
        fault::{Code, Fault},
        ids::{ClientId, SessionId, is_256_bits},
    },
    port::{
        clock::Clock,
        entropy::Entropy,
        policy::Policy,
        signer::{Purpose, Sealer},
    },
};

use super::page::{
    Frame, Pages,
    view::{Failed, Somebody},
};

/// Longest life of a form: as long as a sign-in may take.
const FORM_LIFETIME: std::time::Duration = std::time::Duration::from_secs(3600);

/// What the pages need.
#[derive(Clone)]
pub struct Front {
    /// Templates.
    pub pages: Arc<Pages>,
    /// Sign-ins.
    pub logins: Arc<Logins>,
    /// Signing out.
    pub logouts: Arc<Logouts>,
    /// Hears from upstreams.
    pub rechecks: Arc<Rechecks>,
    /// Sessions.
    pub desk: Arc<SessionDesk>,
    /// My access.
    pub overview: Arc<Overview>,
    /// Devices.
    pub devices: Arc<DeviceDesk>,
    /// For the revision that is shown.
    pub policy: Arc<dyn Policy>,
    /// Seals forms.
    pub sealer: Arc<dyn Sealer>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}

impl std::fmt::Debug for Front {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("browser::Front")
    }
}

impl Front {
    /// All routes for people, assets included.
    pub fn routes(self) -> Router {
        let assets = self.pages.asset_routes();
        Router::new()
            .route("/", get(access::show))
            .route("/login", get(choose::show))
            .route("/t/{tenant}", get(choose::tenant))
            .route("/login/{upstream}/begin", get(begin::begin))
            .route(
                "/login/{upstream}/password",
                get(password::show).post(password::check),
            )
            .route(
                "/login/{upstream}/callback",
                get(callback::by_query).post(callback::by_form),
            )
            .route("/login/{upstream}/backchannel", post(backchannel::hear))
            .route("/device", get(device::show).post(device::answer))
            .route("/logout", get(logout::show).post(logout::leave))
            .with_state(Arc::new(self))
            .merge(assets)
    }

    fn directory(&self) -> &Directory {
        &self.logins.directory
    }

    fn frame(&self, ask: &Ask) -> Frame {
        Frame::of(&ask.uri, &ask.headers, &ask.caller.reference, self.clock.now())
    }

    /// The live session of the browser's cookie. A store that is down is a fault, not "signed out".
    async fn live(&self, ask: &Ask) -> Result<Option<Live>, Fault> {
        match ask.cookie(cookie::SESSION) {
            Some(id) => self.desk.resume(&SessionId(id.to_owned())).await,
            None => Ok(None),
        }
    }

    /// Where a sign-in returns to: the sealed target of the request, else My access.
    fn back(&self, ask: &Ask) -> Result<Return, Fault> {
        self.back_of(ask.query("return"))
    }

    fn back_of(&self, sealed: Option<&str>) -> Result<Return, Fault> {
        match sealed {
            None | Some("") => Ok(self.logins.return_to("/")),
            Some(sealed) => self
                .logins
                .open_return(sealed)
                .ok_or_else(|| Fault::new(Code::SignInExpired, "the return target is too old or not ours")),
        }
    }

    /// The name of the application a return target belongs to.
    fn next(&self, back: &Return) -> Option<String> {
        let query = back.path.strip_prefix("/oauth2/authorize?")?;
        let id = url::form_urlencoded::parse(query.as_bytes())
            .find_map(|(name, value)| (name == "client_id").then_some(value))?;
        let client = self.directory().client(&ClientId::parse(&id).ok()?)?;
        Some(client.name.clone())
    }

    /// A form's proof that it came from our page in this browser, for this path.
    fn form(&self, browser: &str, action: &str) -> String {
        let text = format!("{browser}\n{action}\n{}", self.clock.now().0);
        self.sealer.seal(Purpose::Form, text.as_bytes())
    }

    /// Checks a form's proof. The browser's cookie must be the one the proof was made for.
    fn form_holds(&self, ask: &Ask, action: &str, proof: &str) -> Result<(), Fault> {
        let expired = |why: &str| Fault::new(Code::FormExpired, why);
        let browser = ask
            .cookie(cookie::BROWSER)
            .ok_or_else(|| expired("the form came without the browser's cookie"))?;
        let opened = self
            .sealer
            .open(Purpose::Form, proof)
            .and_then(|text| String::from_utf8(text).ok())
            .ok_or_else(|| expired("the form's proof does not open"))?;
        let made = opened
            .strip_prefix(&format!("{browser}\n{action}\n"))
            .and_then(|made| made.parse().ok())
            .map(crate::domain::time::Timestamp)
            .ok_or_else(|| expired("the form was made for another browser or path"))?;
        if self.clock.now() >= made.plus(FORM_LIFETIME) {
            return Err(expired("the form is too old"));
        }
        Ok(())
    }

    /// The browser's name, and the cookie to set if it has none yet.
    fn browser(&self, ask: &Ask) -> (String, Option<HeaderValue>) {
        match ask.cookie(cookie::BROWSER) {
            Some(name) if is_256_bits(name) => (name.to_owned(), None),
            Some(_) | None => {
                let name = self.entropy.token();
                let set = cookie::set(cookie::BROWSER, &name, None);
                (name, set)
            }
        }
    }

    /// An error page that knows the upstream: whom to ask, where to try again.
    fn failed(&self, ask: &Ask, fault: &Fault, source: Option<&Source>) -> Response {
        tracing::info!(reference = %ask.caller.reference, code = %fault.code, detail = %fault.detail, "a page was refused");
        let tenant = source.and_then(|source| self.directory().tenant(source.upstream.tenant()));
        let view = Failed {
            reasons: fault.reasons.clone(),
            place: source.map(|source| source.upstream.display_name().to_owned()),
            contact: tenant.and_then(|tenant| tenant.contact.clone()),
            retry: match fault.code {
                Code::UpstreamDown | Code::StoreDown | Code::PolicyFailed | Code::Internal => {
                    ask.is_get().then(|| ask.here())
                }
                Code::SignInExpired
                | Code::SignInMismatch
                | Code::UpstreamRefused
                | Code::ProofInvalid
                | Code::SessionEnded => Some("/login".to_owned()),
                Code::NoAccess
                | Code::UnknownOrganisation
                | Code::BadCredentials
                | Code::TooManyAttempts
                | Code::MappingFailed
                | Code::BadRequest
                | Code::BadClient
                | Code::DeviceCodeUnknown
                | Code::FormExpired
                | Code::TokenInvalid
                | Code::AudienceMismatch
                | Code::TargetDown
                | Code::TargetRefused
                | Code::NotFound
                | Code::MethodNotAllowed
                | Code::TooLarge
                | Code::IssuerUnknown
                | Code::AudMismatch
                | Code::ConditionFailed
                | Code::TokenReplayed
                | Code::AdminOnly => None,
            },
            ..Failed::new(fault.code)
        };
        self.pages.failed(&self.frame(ask), &view)
    }
}

/// Redirect by GET to a path of ours, or, outside of form answers, to an upstream.
fn see_other(to: &str) -> Response {
    let mut response = Response::default();
    match HeaderValue::from_str(to) {
        Ok(to) => {
            *response.status_mut() = StatusCode::SEE_OTHER;
            response.headers_mut().insert(header::LOCATION, to);
        }
        Err(_) => *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR,
    }
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn with_cookies(mut response: Response, cookies: impl IntoIterator<Item = HeaderValue>) -> Response {
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// `path?return=…` with the sealed target, where there is one.
fn with_return(path: &str, sealed: Option<&str>) -> String {
    match sealed {
        Some(sealed) if !sealed.is_empty() => {
            let query: String = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("return", sealed)
                .finish();
            format!("{path}?{query}")
        }
        Some(_) | None => path.to_owned(),
    }
}

fn somebody(live: &Live) -> Somebody {
    Somebody {
        name: live.identity.name().map(str::to_owned),
        username: live.identity.username().to_owned(),
        organisation: live.tenant.name.clone(),
    }
}
