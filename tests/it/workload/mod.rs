//! Workloads: tokens of CI jobs and pods, from their issuer to a Keystone project; and programs that run with a token
//! of a project.
//!
//! No token of GitLab, GitHub or Zuul can be had here: the tests sign their own, with the claims that those systems
//! document, and a service account's as a kube-apiserver 1.36 wrote it.

mod cloud;
mod exec;
mod upstream;

use serde_json::{Value, json};

/// A GitLab CI job's claims (docs.gitlab.com, "ID token payload").
fn gitlab(issuer: &str, audience: &str, now: i64, jti: &str) -> Value {
    json!({
        "iss": issuer, "aud": audience, "sub": "project_path:acme/webshop:ref_type:branch:ref:main",
        "iat": now, "nbf": now - 5, "exp": now + 3600, "jti": jti,
        "namespace_path": "acme", "project_id": "20", "project_path": "acme/webshop", "user_login": "alice",
        "pipeline_source": "push", "ref": "main", "ref_type": "branch", "ref_protected": "true",
        "environment": "production", "environment_protected": "true",
    })
}

/// A GitHub Actions job's (docs.github.com, "About security hardening with OpenID Connect").
fn github(issuer: &str, audience: &str, now: i64, jti: &str) -> Value {
    json!({
        "iss": issuer, "aud": audience, "sub": "repo:acme/webshop:environment:production", "jti": jti,
        "iat": now, "nbf": now - 600, "exp": now + 300, "repository": "acme/webshop", "repository_owner": "acme",
        "ref": "refs/heads/main", "environment": "production", "workflow": "deploy", "actor": "alice",
        "job_workflow_ref": "acme/webshop/.github/workflows/deploy.yml@refs/heads/main",
    })
}

/// A Zuul job's (zuul-ci.org, "oidc" secrets).
fn zuul(issuer: &str, audience: &str, now: i64, jti: &str) -> Value {
    json!({
        "iss": issuer, "aud": audience, "sub": "secret:oidc-secret-name", "jti": jti, "iat": now, "exp": now + 300,
        "zuul-tenant": "acme", "zuul-job-name": "deploy", "zuul-ref": "refs/heads/master",
        "job-project": "opendev.org/acme/webshop", "build-uuid": "7f0a0d1e",
    })
}

/// A projected service-account token as a kube-apiserver 1.36 made it.
fn kubernetes(issuer: &str, audience: &str, now: i64, jti: &str) -> Value {
    json!({
        "iss": issuer, "aud": [audience], "sub": "system:serviceaccount:build:robot", "jti": jti,
        "iat": now, "nbf": now, "exp": now + 3607,
        "kubernetes.io": { "namespace": "build", "serviceaccount": { "name": "robot", "uid": "3e1b" },
            "pod": { "name": "robot-0", "uid": "91c2" }, "node": { "name": "n1", "uid": "77" } },
    })
}
