//! Real parts for tests: each file starts one and ends it when dropped.

pub mod apache;
pub mod browser;
pub mod certificates;
pub mod cloud;
pub mod fedctl;
pub mod gateway;
mod home;
pub mod horizon;
pub mod keystone;
pub mod kubectl;
pub mod machine;
pub mod node;
pub mod opa;
pub mod party;
pub mod port;
pub mod postgres;
pub mod redis;
pub mod rows;
pub mod saml;
pub mod serving;
pub mod wiring;

pub use home::home;

/// A client for loopback that follows no redirects.
pub fn plain_client() -> reqwest::Client {
    // The first test that gets here installs the provider; the others find it.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        // A server may close an idle connection just when it is taken again.
        .pool_max_idle_per_host(0)
        .build()
        .expect("a client")
}
