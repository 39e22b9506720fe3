//! OPA's whole interface behind `system.authz`: which path and method is which question.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request, State},
    response::Response,
};
use http::{HeaderValue, Method, StatusCode, header};

use super::{
    Desk, about,
    answer::{Refusal, code, empty, typed},
    authz::{self, Authorization, Callers},
    compress,
    data::{self, Asking},
    health,
    meter::{Handler, since},
    parameters::Parameters,
    policies, query,
    write::{self, Writing},
};

/// The management door.
#[derive(Debug)]
pub struct Management {
    /// What it works on.
    pub desk: Arc<Desk>,
    /// Who may call.
    pub callers: Callers,
    /// Whether a policy is asked about each request.
    pub authorization: Authorization,
}

impl Management {
    /// The routes: one handler, as OPA's paths are data.
    pub fn routes(self) -> Router {
        Router::new().fallback(serve).with_state(Arc::new(self))
    }
}

/// What a path names; `rest` is still escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place<'a> {
    Data(&'a str),
    DataV0(&'a str),
    Policies(&'a str),
    Query(&'a str),
    Compile,
    Config,
    Status,
    Health,
    HealthPolicy(&'a str),
    Metrics,
    Index,
    Nowhere,
}

impl<'a> Place<'a> {
    fn of(path: &'a str) -> Self {
        let below = |prefix: &str| {
            path.strip_prefix(prefix)
                .filter(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if let Some(rest) = below("/v1/data") {
            return Self::Data(rest);
        }
        if let Some(rest) = below("/v0/data") {
            return Self::DataV0(rest);
        }
        if let Some(rest) = below("/v1/policies") {
            return Self::Policies(rest);
        }
        if let Some(rest) = below("/v1/query") {
            return Self::Query(rest);
        }
        if below("/v1/compile").is_some() {
            return Self::Compile;
        }
        match path {
            "/" => Self::Index,
            "/v1/config" => Self::Config,
            "/v1/status" => Self::Status,
            "/health" => Self::Health,
            "/metrics" => Self::Metrics,
            _ => path
                .strip_prefix("/health/")
                .map_or(Self::Nowhere, Self::HealthPolicy),
        }
    }

    const fn handler(self) -> Handler {
        match self {
            Self::Data(_) => Handler::V1Data,
            Self::DataV0(_) => Handler::V0Data,
            Self::Policies(_) => Handler::V1Policies,
            Self::Query(_) => Handler::V1Query,
            Self::Compile => Handler::V1Compile,
            Self::Config => Handler::V1Config,
            Self::Status => Handler::V1Status,
            Self::Health | Self::HealthPolicy(_) => Handler::Health,
            Self::Index => Handler::Index,
            Self::Metrics | Self::Nowhere => Handler::Catchall,
        }
    }
}

async fn serve(State(door): State<Arc<Management>>, request: Request) -> Response {
    let desk = &door.desk;
    let began = desk.clock.now_ns();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let place = Place::of(&path);
    let packs = compress::applies(&method, &path);
    let wanted = packs && compress::wanted(request.headers());
    let turn = tokio::time::timeout(desk.limits.patience, desk.turns.acquire());
    let Ok(Ok(_turn)) = turn.await else {
        return authz::busy();
    };
    let admitted = authz::admit(desk, (&door.callers, door.authorization), request).await;
    let (handler, response) = match admitted {
        Ok(request) => (place.handler(), answer(desk, place, request).await),
        Err(response) => (Handler::Authz, response),
    };
    let response = if packs {
        compress::pack(response, wanted).await
    } else {
        response
    };
    let took = since(desk.clock.as_ref(), began);
    desk.meter.answered(handler, &method, response.status(), took);
    response
}

async fn answer(desk: &Desk, place: Place<'_>, request: Request) -> Response {
    if place == Place::Nowhere {
        let text = b"404 page not found\n".to_vec();
        return typed(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", text);
    }
    if request.method() == Method::HEAD {
        return empty(StatusCode::METHOD_NOT_ALLOWED);
    }
    if let Some(shorter) = request.uri().path().strip_suffix('/')
        && !shorter.is_empty()
    {
        return moved(shorter, request.method());
    }
    let parameters = Parameters::of(request.uri());
    let (head, body) = request.into_parts();
    let asked = Asked {
        parameters: &parameters,
        head: &head,
        peer: head
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|ConnectInfo(peer)| *peer),
    };
    match place {
        Place::Data(rest) => asked.data(desk, rest, body).await,
        Place::DataV0(rest) if head.method == Method::POST => {
            finished(data::post_v0(desk, &asked.about(rest), body).await)
        }
        Place::Index if head.method == Method::POST => {
            finished(data::post_default(desk, &asked.about(""), body).await)
        }
        Place::Policies(rest) => asked.policies(desk, rest, body).await,
        Place::Query("") => asked.query(desk, body).await,
        Place::Compile if matches!(head.method, Method::GET | Method::POST) => unsupported(),
        Place::Config
        | Place::Status
        | Place::Health
        | Place::HealthPolicy(_)
        | Place::Metrics
        | Place::Index
            if head.method == Method::GET =>
        {
            look(desk, place, &parameters)
        }
        Place::DataV0(_) | Place::Query(_) => empty(StatusCode::METHOD_NOT_ALLOWED),
        Place::Compile
        | Place::Config
        | Place::Status
        | Place::Health
        | Place::HealthPolicy(_)
        | Place::Metrics
        | Place::Index
        | Place::Nowhere => typed(
            StatusCode::METHOD_NOT_ALLOWED,
            "text/plain; charset=utf-8",
            b"Method Not Allowed\n".to_vec(),
        ),
    }
}

fn look(desk: &Desk, place: Place<'_>, parameters: &Parameters) -> Response {
    match place {
        Place::Config => about::config(desk, parameters),
        Place::Status => about::status(desk, parameters),
        Place::Health => health::health(desk, parameters),
        Place::HealthPolicy(rest) => health::by_policy(desk, rest),
        Place::Metrics => typed(
            StatusCode::OK,
            "text/plain; version=0.0.4; charset=utf-8",
            desk.meter.render().into_bytes(),
        ),
        Place::Data(_)
        | Place::DataV0(_)
        | Place::Policies(_)
        | Place::Query(_)
        | Place::Compile
        | Place::Index
        | Place::Nowhere => about::index(),
    }
}

/// The head of a request, read.
struct Asked<'a> {
    parameters: &'a Parameters,
    head: &'a http::request::Parts,
    peer: Option<SocketAddr>,
}

impl<'a> Asked<'a> {
    fn about(&self, rest: &'a str) -> Asking<'a> {
        Asking {
            rest,
            parameters: self.parameters,
            headers: &self.head.headers,
            peer: self.peer,
        }
    }

    async fn data(&self, desk: &Desk, rest: &str, body: Body) -> Response {
        let writing = Writing {
            rest,
            parameters: self.parameters,
            headers: &self.head.headers,
        };
        let asking = Asking {
            rest,
            parameters: self.parameters,
            headers: &self.head.headers,
            peer: self.peer,
        };
        match self.head.method.as_str() {
            "GET" => finished(data::get(desk, &asking)),
            "POST" => finished(data::post(desk, &asking, body).await),
            "PUT" => write::put(desk, &writing, body).await,
            "PATCH" => write::patch(desk, &writing, body).await,
            "DELETE" if !rest.is_empty() => write::delete(desk, &writing).await,
            _ => empty(StatusCode::METHOD_NOT_ALLOWED),
        }
    }

    async fn policies(&self, desk: &Desk, rest: &str, body: Body) -> Response {
        let id = policies::id(rest);
        match (self.head.method.as_str(), rest.is_empty()) {
            ("GET", true) => policies::list(desk, self.parameters),
            ("GET", false) => policies::get(desk, &id, self.parameters),
            ("PUT", false) => policies::put(desk, &id, (self.parameters, &self.head.headers), body).await,
            ("DELETE", false) => policies::delete(desk, &id, self.parameters).await,
            _ => empty(StatusCode::METHOD_NOT_ALLOWED),
        }
    }

    async fn query(&self, desk: &Desk, body: Body) -> Response {
        match self.head.method.as_str() {
            "GET" => query::get(desk, self.parameters, self.peer),
            "POST" => query::post(desk, (self.parameters, &self.head.headers, self.peer), body).await,
            _ => empty(StatusCode::METHOD_NOT_ALLOWED),
        }
    }
}

fn finished(outcome: Result<Response, Refusal>) -> Response {
    outcome.unwrap_or_else(Refusal::into_response)
}

/// `/v1/compile` needs partial evaluation, which the engine does not have.
fn unsupported() -> Response {
    let what =
        "partial evaluation is not supported by this engine; ask /v1/data or /v1/query with the whole input";
    Refusal::new(StatusCode::NOT_IMPLEMENTED, code::INVALID_OPERATION, what).into_response()
}

/// A path with a slash at its end is that without.
fn moved(shorter: &str, method: &Method) -> Response {
    let mut response = if method == Method::GET {
        let shown = shorter
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('"', "&#34;");
        let page = format!("<a href=\"{shown}\">Moved Permanently</a>.\n\n");
        typed(
            StatusCode::MOVED_PERMANENTLY,
            "text/html; charset=utf-8",
            page.into_bytes(),
        )
    } else {
        empty(StatusCode::MOVED_PERMANENTLY)
    };
    if let Ok(location) = HeaderValue::from_str(shorter) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_places() {
        for (path, place) in [
            ("/v1/data", Place::Data("")),
            ("/v1/data/a%2Fb/c", Place::Data("/a%2Fb/c")),
            ("/v1/database", Place::Nowhere),
            ("/v0/data/x", Place::DataV0("/x")),
            ("/v1/policies/a/b", Place::Policies("/a/b")),
            ("/v1/query/x", Place::Query("/x")),
            ("/v1/compile/filters", Place::Compile),
            ("/health/live", Place::HealthPolicy("live")),
            ("/", Place::Index),
            ("/x", Place::Nowhere),
        ] {
            assert_eq!(Place::of(path), place, "{path}");
        }
    }
}
