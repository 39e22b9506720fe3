//! Which organisation? Nothing here calls an upstream, so a known name takes no longer than an unknown one.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;

use crate::{
    broker::directory::Source,
    domain::{fault::Code, ids::TenantId},
    http::{
        fault,
        page::view::{Choose, Way},
    },
};

use super::{Ask, Front, see_other, with_return};

/// `GET /login`
pub(super) async fn show(State(front): State<Arc<Front>>, ask: Ask) -> Response {
    let back = match front.back(&ask) {
        Ok(back) => back,
        Err(fault) => return front.failed(&ask, &fault, None),
    };
    let view = Choose {
        return_to: ask.query("return").map(str::to_owned),
        next: front.next(&back),
        ..Choose::default()
    };
    match ask.query("organisation") {
        None => {
            let mut sources = front.directory().for_people();
            // The only way in: there is nothing to choose and nothing to hide.
            if let (Some(only), None) = (sources.next(), sources.next()) {
                return see_other(&entry(only, ask.query("return")));
            }
            front.pages.show(&front.frame(&ask), StatusCode::OK, &view)
        }
        Some(typed) => {
            let found = front.directory().organisation(typed);
            let view = Choose {
                typed: typed.chars().take(255).collect(),
                ..view
            };
            lead_on(&front, &ask, &found, view)
        }
    }
}

/// `GET /t/{tenant}`: the link an organisation gives to its people.
pub(super) async fn tenant(
    State(front): State<Arc<Front>>,
    Path(tenant): Path<String>,
    ask: Ask,
) -> Response {
    let found = TenantId::parse(&tenant)
        .map(|tenant| front.directory().sources_of(&tenant))
        .unwrap_or_default();
    let view = Choose {
        return_to: ask.query("return").map(str::to_owned),
        typed: tenant.chars().take(255).collect(),
        ..Choose::default()
    };
    lead_on(&front, &ask, &found, view)
}

fn lead_on(front: &Front, ask: &Ask, found: &[&Source], view: Choose) -> Response {
    let frame = front.frame(ask);
    match found {
        [] => {
            let view = Choose {
                problem: Some(Code::UnknownOrganisation),
                ..view
            };
            front
                .pages
                .show(&frame, fault::status(Code::UnknownOrganisation), &view)
        }
        // No redirect: this answers a form, and the way leads to another origin (see page/headers.rs).
        [only] => front.pages.onward(
            &frame,
            &entry(only, ask.query("return")),
            Some(only.upstream.display_name()),
        ),
        several => {
            let ways = several
                .iter()
                .map(|source| Way {
                    href: entry(source, ask.query("return")),
                    name: source.upstream.display_name().to_owned(),
                })
                .collect();
            let view = Choose { ways, ..view };
            front.pages.show(&frame, StatusCode::OK, &view)
        }
    }
}

fn entry(source: &Source, sealed: Option<&str>) -> String {
    with_return(&format!("/login/{}/begin", source.upstream.id()), sealed)
}
