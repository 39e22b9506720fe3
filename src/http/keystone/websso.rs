//! A dashboard sends a browser to be signed in (WebSSO). We sign the person in ourselves, and pass on Keystone's own
//! page, which takes Keystone's token to the dashboard in a form.
//!
//! `origin`, the dashboard's address, is compared before anything else happens, as an exact string: Keystone's page
//! would take the token wherever it says. It cannot carry a nonce, so a dashboard cannot tell who began a sign-in;
//! what this side can do against login CSRF it does: a sign-in is bound to the browser that began it, and the way
//! back to this path is sealed. A link to this path signs nobody in as somebody else: it hands a person's own
//! token to a registered dashboard of theirs.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{FromRequestParts as _, Request},
    response::Response,
};
use http::{HeaderName, HeaderValue, Method, StatusCode, header};

use crate::{
    broker::{
        dashboards::Dashboards,
        login::Logins,
        session::{Live, SessionDesk},
    },
    domain::{
        fault::{Code, Fault},
        ids::{SessionId, TargetId, is_256_bits},
    },
    http::{
        browser::{Ask, cookie},
        page::{
            Frame, Pages,
            view::{Failed, Somebody},
        },
    },
    port::clock::Clock,
};

/// What a page of Keystone's may do: run its own script, which sends its form. The form leads to another origin by
/// intention; where to was checked.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";

/// The WebSSO of one Keystone.
pub struct WebSso {
    /// The target.
    pub target: TargetId,
    /// The target's name for people.
    pub name: String,
    /// The path of the identity provider and the global one: exactly these spellings.
    pub paths: [String; 2],
    /// The dashboards' addresses.
    pub origins: Vec<String>,
    /// Brings people there.
    pub dashboards: Arc<Dashboards>,
    /// Sign-ins.
    pub logins: Arc<Logins>,
    /// Sessions.
    pub desk: Arc<SessionDesk>,
    /// Templates.
    pub pages: Arc<Pages>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for WebSso {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("WebSso")
            .field("paths", &self.paths)
            .field("origins", &self.origins)
            .finish_non_exhaustive()
    }
}

impl WebSso {
    /// Whether a path is one of ours.
    #[must_use]
    pub fn is_at(&self, path: &str) -> bool {
        self.paths.iter().any(|own| own == path)
    }

    /// Answers a browser. Its headers and its body go no further: what Keystone is told comes from the session.
    pub(super) async fn answer(&self, request: Request) -> Response {
        let (mut parts, _) = request.into_parts();
        let Ok(ask) = Ask::from_request_parts(&mut parts, &()).await;
        match self.outcome(&ask).await {
            Ok(response) => response,
            Err(Refused { fault, live }) => self.failed(&ask, &fault, live.as_deref()),
        }
    }

    async fn outcome(&self, ask: &Ask) -> Result<Response, Refused> {
        // First of all, whoever asks.
        let origin = self.origin(ask)?;
        let here = self.here(ask, origin);
        match ask.method {
            Method::GET => {}
            // Our cookie does not travel with another site's form; it does with the GET that this leads to.
            Method::POST => return Ok(see_other(&here)),
            _ => {
                return Err(Fault::new(Code::MethodNotAllowed, "WebSSO is for GET and POST").into());
            }
        }
        let live = match ask.cookie(cookie::SESSION) {
            Some(id) if is_256_bits(id) => self.desk.resume(&SessionId(id.to_owned())).await?,
            Some(_) | None => None,
        };
        let Some(live) = live else {
            // The way back is sealed for as long as a sign-in may take: an hour.
            let sealed = self.logins.seal_return(&self.logins.return_to(&here))?;
            let query: String = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("return", &sealed)
                .finish();
            return Ok(see_other(&format!("/login?{query}")));
        };
        let entered = self
            .dashboards
            .enter(&live, &self.target, origin, &ask.caller)
            .await;
        match entered {
            Ok(page) => Ok(shown(page)),
            Err(fault) => Err(Refused {
                fault,
                live: Some(Box::new(live)),
            }),
        }
    }

    /// The one `origin` of the request, if it is a dashboard's.
    fn origin<'a>(&self, ask: &'a Ask) -> Result<&'a str, Fault> {
        let origin = ask
            .query("origin")
            .ok_or_else(|| Fault::new(Code::BadRequest, "'origin' is missing or given twice"))?;
        if self.origins.iter().any(|own| own == origin) {
            Ok(origin)
        } else {
            let shown: String = origin.chars().filter(|c| !c.is_control()).take(200).collect();
            Err(Fault::new(
                Code::BadClient,
                format!("no dashboard at '{}' has the origin '{shown}'", self.target),
            ))
        }
    }

    /// This request again, without whatever else it carried.
    fn here(&self, ask: &Ask, origin: &str) -> String {
        let query: String = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("origin", origin)
            .finish();
        format!("{}?{query}", ask.uri.path())
    }

    fn failed(&self, ask: &Ask, fault: &Fault, live: Option<&Live>) -> Response {
        let reference = &ask.caller.reference;
        if matches!(
            fault.code,
            Code::TargetDown | Code::TargetRefused | Code::Internal
        ) {
            tracing::error!(%reference, code = %fault.code, detail = %fault.detail, "a sign-in for a dashboard failed");
        } else {
            tracing::info!(%reference, code = %fault.code, detail = %fault.detail, "a sign-in for a dashboard was refused");
        }
        let waiting_helps = matches!(
            fault.code,
            Code::TargetDown | Code::StoreDown | Code::PolicyFailed | Code::Internal
        );
        let view = Failed {
            reasons: fault.reasons.clone(),
            person: live.map(|live| Somebody {
                name: live.identity.name().map(str::to_owned),
                username: live.identity.username().to_owned(),
                organisation: live.tenant.name.clone(),
            }),
            groups: live.map_or_else(Vec::new, |live| {
                let groups = live.identity.groups().iter();
                groups.map(|group| group.name.clone()).collect()
            }),
            place: Some(self.name.clone()),
            contact: live.and_then(|live| live.tenant.contact.clone()),
            retry: (waiting_helps && ask.is_get()).then(|| ask.here()),
            ..Failed::new(fault.code)
        };
        let frame = Frame::of(&ask.uri, &ask.headers, reference, self.clock.now());
        self.pages.failed(&frame, &view)
    }
}

/// A refusal, and who was refused, where that is known.
struct Refused {
    fault: Fault,
    live: Option<Box<Live>>,
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self { fault, live: None }
    }
}

fn see_other(to: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    match HeaderValue::from_str(to) {
        Ok(to) => {
            response.headers_mut().insert(header::LOCATION, to);
        }
        Err(_) => *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR,
    }
    no_store(&mut response);
    response
}

fn no_store(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

/// Keystone's page. It holds a token, so nothing may keep it. No `Referrer-Policy` of ours: Horizon can be set to
/// look at the origin that a form came from.
fn shown(page: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(page));
    no_store(&mut response);
    let fixed: [(HeaderName, &'static str); 3] = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    for (name, value) in fixed {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}
