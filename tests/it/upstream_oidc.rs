//! upstream_oidc
