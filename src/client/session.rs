//! The session at the gateway: where it is, what its tokens are, and how they are renewed.

use std::path::PathBuf;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::args::Args;
use super::cache::{Held, Locked, Record, lock};
use super::clock;
use super::http::{Http, secure};
use super::problem::{Local, Network, Problem, SignIn};
use super::terminal::Terminal;
use crate::wire::oauth::{REFRESH_TOKEN, TokenResponse};
use crate::wire::oidc::{Audience, Discovery, IdTokenClaims};

/// Tokens are renewed this many seconds before they end.
const EARLY: i64 = 60;
/// Difference of clocks that is tolerated in ID tokens, seconds.
const SKEW: i64 = 60;

/// One gateway, as one client, at one terminal.
#[derive(Debug)]
pub struct Context {
    /// The gateway's address, exactly as configured there.
    pub issuer: String,
    /// Our client id.
    pub client_id: String,
    /// File with the gateway's CA.
    pub ca: Option<PathBuf>,
    /// Speaks with it.
    pub http: Http,
    /// Where texts go.
    pub terminal: Terminal,
}

impl Context {
    /// From the command line and the environment.
    pub fn of(args: &Args, terminal: &Terminal) -> Result<Self, Problem> {
        let issuer = args
            .issuer
            .clone()
            .filter(|text| !text.is_empty())
            .ok_or(Local::NoIssuer)?;
        Self::at(issuer, args.client_id.clone(), args.ca.clone(), *terminal)
    }

    /// At a named gateway.
    pub fn at(
        issuer: String,
        client_id: String,
        ca: Option<PathBuf>,
        terminal: Terminal,
    ) -> Result<Self, Problem> {
        secure(&issuer)?;
        let http = Http::new(ca.as_deref())?;
        Ok(Self {
            issuer,
            client_id,
            ca,
            http,
            terminal,
        })
    }

    /// The gateway's endpoints. It must call itself what we call it (OIDC Discovery §4.3), or another
    /// gateway could be substituted.
    pub async fn discover(&self) -> Result<Discovery, Problem> {
        let url = format!(
            "{}/.well-known/openid-configuration",
            self.issuer.trim_end_matches('/')
        );
        let found: Discovery = self.http.get(&url, None).await?;
        if found.issuer == self.issuer {
            return Ok(found);
        }
        Err(Network::WrongIssuer {
            asked: self.issuer.clone(),
            told: found.issuer,
        }
        .into())
    }

    /// Takes the lock of this session.
    pub fn lock(&self) -> Result<Locked, Problem> {
        lock(&self.issuer, &self.client_id)
    }

    /// The session that is kept, or the advice to sign in.
    pub fn kept(&self, locked: &Locked) -> Result<Record, Problem> {
        let missing = || SignIn::Missing {
            issuer: self.issuer.clone(),
        };
        let record = locked.read()?.ok_or_else(missing)?;
        if record.issuer == self.issuer && record.client_id == self.client_id {
            return Ok(record);
        }
        Err(missing().into())
    }

    /// The session's access token, renewed if its time is near (or if `force`).
    pub async fn access(&self, locked: &Locked, record: &mut Record, force: bool) -> Result<String, Problem> {
        let now = clock::now();
        if !force && now < record.access.renew {
            return Ok(record.access.token.clone());
        }
        match self.refresh(locked, record).await {
            Ok(()) => Ok(record.access.token.clone()),
            // Still good for some seconds: a gateway that is away for a moment need not be noticed.
            Err(Problem::Network(Network::Unreachable { .. }))
                if !force && now + 5 < record.access.expires =>
            {
                Ok(record.access.token.clone())
            }
            Err(problem) => Err(problem),
        }
    }

    async fn refresh(&self, locked: &Locked, record: &mut Record) -> Result<(), Problem> {
        let ended = |reference: Option<String>| SignIn::Ended {
            issuer: self.issuer.clone(),
            reference,
        };
        let Some(token) = record.refresh_token.clone() else {
            return Err(ended(None).into());
        };
        let endpoint = endpoint(self.discover().await?.token_endpoint, "token_endpoint")?;
        let form = [
            ("grant_type", REFRESH_TOKEN),
            ("refresh_token", token.as_str()),
            ("client_id", self.client_id.as_str()),
        ];
        let answer: Result<TokenResponse, Problem> = self.http.post(&endpoint, &form).await;
        let tokens = match answer {
            Ok(tokens) => tokens,
            Err(problem) if problem.oauth_code() == Some("invalid_grant") => {
                locked.remove()?;
                return Err(ended(problem.reference().map(str::to_owned)).into());
            }
            Err(problem) => return Err(problem),
        };
        // The old refresh token is spent: the new one is on disk before anything else is done or checked.
        record.access = held(&tokens);
        record.refresh_token = tokens.refresh_token.clone().or(Some(token));
        locked.write(record)?;
        if let Some(id_token) = &tokens.id_token {
            let claims = self.checked(id_token, None)?;
            if claims.sub != record.sub {
                locked.remove()?;
                return Err(SignIn::Mismatch("sub").into());
            }
        }
        Ok(())
    }

    /// A new session out of the token endpoint's answer; written before it is used.
    pub fn begin(&self, tokens: &TokenResponse, nonce: Option<&str>) -> Result<IdTokenClaims, Problem> {
        let id_token = tokens.id_token.as_deref().ok_or(SignIn::Mismatch("id_token"))?;
        let claims = self.checked(id_token, nonce)?;
        let record = Record {
            issuer: self.issuer.clone(),
            client_id: self.client_id.clone(),
            sub: claims.sub.clone(),
            access: held(tokens),
            refresh_token: tokens.refresh_token.clone(),
            tokens: std::collections::BTreeMap::new(),
        };
        self.lock()?.write(&record)?;
        Ok(claims)
    }

    /// The claims of an ID token that came straight from the token endpoint over TLS: OIDC Core §3.1.3.7
    /// point 6 lets TLS stand for the signature there, so this program carries no signature library. All
    /// other checks of that section are made.
    fn checked(&self, id_token: &str, nonce: Option<&str>) -> Result<IdTokenClaims, Problem> {
        let claims = claims(id_token).ok_or(SignIn::Mismatch("id_token"))?;
        let ours = match &claims.aud {
            Audience::One(one) => *one == self.client_id,
            Audience::Many(many) => {
                many.contains(&self.client_id)
                    && (many.len() == 1 || claims.azp.as_deref() == Some(&self.client_id))
            }
        };
        let now = clock::now();
        let checks = [
            (claims.iss == self.issuer, "iss"),
            (ours, "aud"),
            (
                claims.azp.as_ref().is_none_or(|azp| *azp == self.client_id),
                "azp",
            ),
            (nonce.is_none() || claims.nonce.as_deref() == nonce, "nonce"),
            (claims.exp > now - SKEW, "exp"),
            (claims.iat < now + SKEW, "iat"),
            (!claims.sub.is_empty(), "sub"),
        ];
        match checks.iter().find(|(good, _)| !good) {
            Some((_, name)) => Err(SignIn::Mismatch(name).into()),
            None => Ok(claims),
        }
    }
}

/// The claims of a compact JWS, unchecked.
fn claims(token: &str) -> Option<IdTokenClaims> {
    let mut parts = token.split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

/// A token with its times. Without `expires_in` it is used once.
pub fn held(tokens: &TokenResponse) -> Held {
    let now = clock::now();
    let life = i64::try_from(tokens.expires_in.unwrap_or(0))
        .unwrap_or(0)
        .min(86_400 * 366);
    // A token that lives less than four minutes would otherwise hardly be used at all.
    let renew = now + life - EARLY.min(life / 4);
    Held {
        token: tokens.access_token.clone(),
        expires: now + life,
        renew,
        given_to: Vec::new(),
        forced: Vec::new(),
    }
}

/// An endpoint that discovery must name.
pub fn endpoint(found: Option<String>, name: &'static str) -> Result<String, Problem> {
    found.ok_or_else(|| Network::NoEndpoint(name).into())
}

/// 32 random bytes as base64url: state, nonce and PKCE verifier (43 characters, RFC 7636 §4.1).
pub fn random() -> Result<String, Problem> {
    let mut bytes = [0_u8; 32];
    rustls::crypto::aws_lc_rs::default_provider()
        .secure_random
        .fill(&mut bytes)
        .map_err(|_| Local::Runtime("no random numbers".into()))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
