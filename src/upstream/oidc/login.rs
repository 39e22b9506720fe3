//! One sign-in: the browser is sent there, comes back with a code, the code becomes a verified assertion.

use std::time::Duration;

use async_trait::async_trait;
use aws_lc_rs::{constant_time, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

use crate::{
    domain::{
        assertion::{UpstreamAssertion, Verified},
        fault::{Code, Fault},
        time::Timestamp,
    },
    outbound::{Answer, OutboundFault},
    port::upstream::{Answered, Begin, BrowserLogin, Finished, LoginAsk},
};

use super::{
    super::jose::{token, trouble::Part},
    ClientAuthMethod, Oidc, RecheckBy,
    claims::{self, Expected},
    discovery::Metadata,
};

/// What must be remembered until the browser comes back. Travels sealed in its cookie.
#[derive(Serialize, Deserialize)]
struct Memory {
    nonce: String,
    verifier: String,
    began: Timestamp,
}

/// Claims about the proof itself: only the signed ID token may make them.
pub(super) const PROTOCOL_CLAIMS: [&str; 12] = [
    "iss",
    "sub",
    "aud",
    "azp",
    "exp",
    "iat",
    "nbf",
    "nonce",
    "auth_time",
    "acr",
    "amr",
    "sid",
];

#[derive(Deserialize)]
struct Tokens {
    id_token: String,
    #[serde(default)]
    access_token: Option<String>,
    #[serde(default)]
    refresh_token: Option<String>,
}

fn down(fault: &OutboundFault) -> Fault {
    Fault::new(Code::UpstreamDown, fault.to_string())
}
pub(super) fn invalid(why: impl Into<String>) -> Fault {
    Fault::new(Code::ProofInvalid, why)
}

#[async_trait]
impl BrowserLogin for Oidc {
    async fn begin(&self, ask: &LoginAsk) -> Result<Begin, Fault> {
        let metadata = self.provider.metadata().await?;
        let memory = Memory {
            nonce: self.entropy.token(),
            verifier: self.entropy.token(),
            began: self.clock.now(),
        };
        let challenge = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, memory.verifier.as_bytes()));
        let mut url = metadata.authorization_endpoint;
        let mut query = url.query_pairs_mut();
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.config.client_id)
            .append_pair("redirect_uri", &ask.callback)
            .append_pair("scope", &self.config.scopes.join(" "))
            .append_pair("state", &ask.state)
            .append_pair("nonce", &memory.nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        if ask.fresh {
            query.append_pair("prompt", "login").append_pair("max_age", "0");
        }
        for (name, value) in [
            ("acr_values", &ask.acr_values),
            ("login_hint", &ask.login_hint),
            ("ui_locales", &ask.language),
        ] {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        drop(query);
        let memory =
            serde_json::to_value(memory).map_err(|error| Fault::new(Code::Internal, error.to_string()))?;
        Ok(Begin {
            redirect: url.into(),
            memory,
        })
    }

    async fn finish(&self, ask: &LoginAsk, memory: &Value, answered: &Answered) -> Result<Finished, Fault> {
        let memory: Memory = serde_json::from_value(memory.clone())
            .map_err(|_| Fault::new(Code::SignInExpired, "the pending sign-in is of an older program"))?;
        let metadata = self.provider.metadata().await?;
        let code = self.code(ask, &metadata, answered)?;
        let tokens = self
            .redeem(&metadata, &code, &ask.callback, &memory.verifier)
            .await?;
        let mut claims = self.verified(&tokens, &memory, ask.fresh).await?;
        if self.config.userinfo {
            self.add_userinfo(&metadata, &tokens, &mut claims).await?;
        }
        Ok(Finished {
            assertion: self.assertion(claims)?,
            renewal: match self.config.recheck {
                RecheckBy::RefreshToken => tokens.refresh_token,
                RecheckBy::Userinfo => tokens.access_token,
                RecheckBy::Off => None,
            },
            hint: Some(tokens.id_token),
        })
    }
}

impl Oidc {
    /// The code, once state and issuer of the answer are right (RFC 9207 §2.4).
    fn code(&self, ask: &LoginAsk, metadata: &Metadata, answered: &Answered) -> Result<String, Fault> {
        let mismatch = |why: &str| Fault::new(Code::SignInMismatch, why);
        let one = |name: &str| -> Result<Option<&str>, Fault> {
            let mut found = answered.parameters.iter().filter(|(key, _)| key == name);
            let first = found.next().map(|(_, value)| value.as_str());
            if found.next().is_some() {
                Err(mismatch("a parameter of the answer is there twice"))
            } else {
                Ok(first)
            }
        };
        let state = one("state")?.unwrap_or_default();
        constant_time::verify_slices_are_equal(state.as_bytes(), ask.state.as_bytes())
            .map_err(|_| mismatch("the answer's state is another's"))?;
        match one("iss")? {
            Some(issuer) if issuer != self.config.issuer => {
                return Err(mismatch("the answer is from another issuer"));
            }
            None if metadata.authorization_response_iss_parameter_supported => {
                return Err(mismatch("the answer lacks the iss that the provider promises"));
            }
            Some(_) | None => {}
        }
        if let Some(error) = one("error")? {
            let described = one("error_description")?.unwrap_or_default();
            let code = match error {
                "temporarily_unavailable" | "server_error" => Code::UpstreamDown,
                _ => Code::UpstreamRefused,
            };
            return Err(Fault::new(
                code,
                format!("the provider answered {error:.64}: {described:.200}"),
            ));
        }
        let code = one("code")?.filter(|code| !code.is_empty() && code.len() <= 4096);
        code.map(str::to_owned)
            .ok_or_else(|| mismatch("the answer has neither code nor error"))
    }

    async fn redeem(
        &self,
        metadata: &Metadata,
        code: &str,
        callback: &str,
        verifier: &str,
    ) -> Result<Tokens, Fault> {
        let form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", callback),
            ("code_verifier", verifier),
        ];
        let answer = self.at_token_endpoint(metadata, form).await?;
        self.tokens(&answer)
    }

    /// One question to the token endpoint, with the client's proof.
    pub(super) async fn at_token_endpoint(
        &self,
        metadata: &Metadata,
        mut form: Vec<(&str, &str)>,
    ) -> Result<Answer, Fault> {
        let id = self.config.client_id.as_str();
        // RFC 6749 §2.3.1: both parts of Basic are form-encoded first.
        let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let mut basic = None;
        let method = self.config.client_auth.unwrap_or_else(|| metadata.client_auth());
        match (&self.secret, method) {
            (Some(secret), ClientAuthMethod::ClientSecretBasic) => {
                basic = Some((encoded(id), encoded(secret.reveal())));
            }
            (Some(secret), ClientAuthMethod::ClientSecretPost) => {
                form.extend([("client_id", id), ("client_secret", secret.reveal())]);
            }
            (None, _) => form.push(("client_id", id)),
        }
        let basic = basic.as_ref().map(|(id, secret)| (id.as_str(), secret.as_str()));
        let answer = self
            .outbound
            .post_form(&metadata.token_endpoint, &form, basic)
            .await;
        self.noted(Part::TokenEndpoint, answer)
    }

    /// An outage of a part is also remembered for operators.
    pub(super) fn noted<T>(&self, part: Part, outcome: Result<T, OutboundFault>) -> Result<T, Fault> {
        match outcome {
            Ok(answer) => {
                self.provider.troubles.worked(part);
                Ok(answer)
            }
            Err(fault) => {
                self.failed(part, fault.to_string());
                Err(down(&fault))
            }
        }
    }

    pub(super) fn failed(&self, part: Part, reason: String) {
        self.provider.troubles.failed(part, self.clock.now(), reason);
    }

    /// Reads the token endpoint's answer.
    fn tokens(&self, answer: &Answer) -> Result<Tokens, Fault> {
        let status = answer.status.as_u16();
        let body = serde_json::from_slice::<Value>(&answer.body).unwrap_or_default();
        if answer.status.is_success() && body.is_object() {
            return serde_json::from_value(body)
                .map_err(|_| invalid("the token endpoint's answer has no ID token"));
        }
        // Only an OAuth error (RFC 6749 §5.2) is a refusal; a page, a redirect or a 5xx is an outage.
        let error = body.get("error").and_then(Value::as_str);
        let refused = answer.status.is_client_error() && error.is_some();
        if !refused {
            self.failed(Part::TokenEndpoint, format!("answered {status}"));
        } else if error == Some("invalid_client") {
            // Nobody's sign-in can succeed until an operator mends it.
            let reason = "answered invalid_client: client_id or client_secret is wrong there";
            self.failed(Part::TokenEndpoint, reason.to_owned());
        }
        let code = if refused {
            Code::UpstreamRefused
        } else {
            Code::UpstreamDown
        };
        let error = error.unwrap_or("no OAuth answer");
        Err(Fault::new(
            code,
            format!("the token endpoint answered {status}: {error:.64}"),
        ))
    }

    /// The claims of any token that the provider has signed for us and no other, not longer ago than `oldest` seconds.
    pub(super) async fn checked(
        &self,
        text: &str,
        types: &[&str],
        oldest: i64,
    ) -> Result<Map<String, Value>, Fault> {
        let (algorithm, kid) = token::header(text, types).map_err(invalid)?;
        let keys = self.provider.keys(kid.as_deref()).await?;
        let found = token::signed(text, algorithm, &keys).map_err(invalid)?;
        claims::issuer_and_audience(&found, (&self.config.issuer, &self.config.client_id))
            .map_err(invalid)?;
        token::in_time(&found, self.clock.now(), Some(oldest)).map_err(invalid)?;
        Ok(found)
    }

    async fn verified(
        &self,
        tokens: &Tokens,
        memory: &Memory,
        fresh: bool,
    ) -> Result<Map<String, Value>, Fault> {
        let (algorithm, kid) = claims::header(&tokens.id_token).map_err(invalid)?;
        let keys = self.provider.keys(kid.as_deref()).await?;
        let expected = Expected {
            issuer: &self.config.issuer,
            client_id: &self.config.client_id,
            nonce: &memory.nonce,
            access_token: tokens.access_token.as_deref(),
            fresh_after: fresh.then_some(memory.began),
            now: self.clock.now(),
        };
        claims::verify(&tokens.id_token, algorithm, &keys, &expected).map_err(invalid)
    }

    /// Adds claims of the userinfo endpoint; those of the ID token stay as they are.
    async fn add_userinfo(
        &self,
        metadata: &Metadata,
        tokens: &Tokens,
        claims: &mut Map<String, Value>,
    ) -> Result<(), Fault> {
        let url = userinfo_endpoint(metadata)?;
        let token = tokens.access_token.as_deref().ok_or_else(|| {
            invalid(
                "the token endpoint's answer has no access token, but the configuration asks for userinfo",
            )
        })?;
        let found = self.outbound.get_json_as(url, token).await;
        let found = self.noted(Part::Userinfo, found)?;
        let subject = claims.get("sub").and_then(Value::as_str);
        add(claims, about(found, subject)?);
        Ok(())
    }

    fn assertion(&self, claims: Map<String, Value>) -> Result<UpstreamAssertion, Fault> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
        let now = self.clock.now();
        let amr = claims.get("amr").and_then(Value::as_array).map(|methods| {
            methods
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect()
        });
        let proved = claims
            .get("auth_time")
            .and_then(token::seconds)
            .map_or(now, Timestamp);
        UpstreamAssertion::verified(Verified {
            upstream: self.config.id.clone(),
            tenant: self.config.tenant.clone(),
            issuer: self.config.issuer.clone(),
            subject: text("sub").unwrap_or_default(),
            // A proof from the future would make every "at most so old" rule true.
            authenticated_at: proved.min(now),
            acr: text("acr"),
            amr: amr.unwrap_or_default(),
            not_after: now.plus(Duration::from_secs(self.config.session_lifetime_s)),
            upstream_session: text("sid"),
            claims,
        })
        .map_err(|fault| invalid(fault.to_string()))
    }
}

/// Where the provider says more about people.
pub(super) fn userinfo_endpoint(metadata: &Metadata) -> Result<&Url, Fault> {
    let url = metadata.userinfo_endpoint.as_ref();
    url.ok_or_else(|| invalid("the provider offers no userinfo, but the configuration asks for it"))
}

/// What userinfo says about this person. Without the check another person's claims could be mixed in (OIDC Core §5.3.2).
pub(super) fn about(found: Value, subject: Option<&str>) -> Result<Map<String, Value>, Fault> {
    let Value::Object(found) = found else {
        return Err(invalid("userinfo is no JSON object"));
    };
    let said = found.get("sub").and_then(Value::as_str);
    if said.is_none() || said != subject {
        return Err(invalid("userinfo is about another person"));
    }
    Ok(found)
}

/// Adds what userinfo says; what is there stays, and nothing about the proof comes from there.
pub(super) fn add(claims: &mut Map<String, Value>, found: Map<String, Value>) {
    for (name, value) in found {
        if !PROTOCOL_CLAIMS.contains(&name.as_str()) {
            claims.entry(name).or_insert(value);
        }
    }
}
