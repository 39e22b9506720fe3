//! Send the browser to its upstream, or to our own password page.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};

use crate::{
    broker::{directory::Source, login::Plan},
    domain::{
        fault::{Code, Fault},
        ids::UpstreamId,
    },
};

use super::{Ask, Front, cookie, see_other, with_cookies, with_return};

/// The upstream of a path.
pub(super) fn source_of<'a>(front: &'a Front, name: &str) -> Result<(UpstreamId, &'a Source), Fault> {
    let id = UpstreamId::parse(name).map_err(|_| Fault::new(Code::NotFound, "no such upstream"))?;
    let source = front.directory().source(&id)?;
    Ok((id, source))
}

/// `GET /login/{upstream}/begin`
pub(super) async fn begin(
    State(front): State<Arc<Front>>,
    Path(upstream): Path<String>,
    ask: Ask,
) -> Response {
    let (id, source) = match source_of(&front, &upstream) {
        Ok(found) => found,
        Err(fault) => return front.failed(&ask, &fault, None),
    };
    if source.upstream.ways().browser.is_none() {
        let to = with_return(&format!("/login/{id}/password"), ask.query("return"));
        return see_other(&to);
    }
    let back = match front.back(&ask) {
        Ok(back) => back,
        Err(fault) => return front.failed(&ask, &fault, Some(source)),
    };
    let plan = Plan {
        upstream: id,
        back,
        language: Some(front.frame(&ask).language.tag().to_owned()),
    };
    match front.logins.begin(plan).await {
        Ok(started) => {
            let cookies = cookie::keep_pending(&ask, &started.state, &started.sealed);
            with_cookies(see_other(&started.redirect), cookies)
        }
        Err(fault) => front.failed(&ask, &fault, Some(source)),
    }
}
