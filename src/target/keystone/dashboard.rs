//! Signing in for a dashboard: Keystone's own WebSSO page, and the end of the token that it carries.

use ::http::Method;
use async_trait::async_trait;

use super::{Keystone, answer, transport::Told};
use crate::domain::{
    access::Permit,
    fault::{Code, Fault},
    time::Timestamp,
};
use crate::port::relay::Call;
use crate::port::target::{Dashboards, Entry};
use crate::wire::keystone::{AUTH_TOKEN, SUBJECT_TOKEN};

#[async_trait]
impl Dashboards for Keystone {
    async fn enter(&self, permit: &Permit, origin: &str) -> Result<Entry, Fault> {
        let told = self.told(permit).await?;
        let query: String = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("origin", origin)
            .finish();
        let path = format!("{}?{query}", self.own(permit).websso_path());
        let call = || answer::with(answer::call(Method::GET, &path), "accept", "text/html");
        let answer = self.log_in(call, &told).await?;
        let html = answer
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("text/html"));
        if answer.status != 200 || !html {
            return Err(self.refused(permit, &answer).await);
        }
        let token = std::str::from_utf8(&answer.body).ok().and_then(token_of);
        let Some(token) = token.map(str::to_owned) else {
            return Err(Fault::new(
                Code::TargetRefused,
                "Keystone's WebSSO page has no token: look at its sso_callback_template",
            ));
        };
        Ok(Entry {
            expires: self.end_of(&token).await?,
            token,
            page: answer.body,
        })
    }

    async fn revoke(&self, token: &str) -> Result<(), Fault> {
        let answer = self
            .about(token, answer::call(Method::DELETE, "/v3/auth/tokens"))
            .await?;
        match answer.status {
            // 401 and 404: it had ended before.
            204 | 401 | 404 => Ok(()),
            _ => Err(answer.fault()),
        }
    }
}

impl Keystone {
    /// When Keystone ends a token: its page does not say it.
    async fn end_of(&self, token: &str) -> Result<Timestamp, Fault> {
        let answer = self
            .about(token, answer::call(Method::GET, "/v3/auth/tokens?nocatalog"))
            .await?;
        if answer.status != 200 {
            return Err(answer.fault());
        }
        super::end_of(&answer)
            .ok_or_else(|| Fault::new(Code::TargetRefused, "Keystone does not say when its token ends"))
    }

    /// A call about a token, by that token.
    async fn about(&self, token: &str, call: Call) -> Result<answer::Answer, Fault> {
        let call = answer::with(answer::with(call, AUTH_TOKEN, token), SUBJECT_TOKEN, token);
        answer::send(&self.logins, call, &Told::new())
            .await
            .map_err(|problem| Fault::new(Code::TargetDown, problem))
    }
}

/// The value of the page's input `token`.
fn token_of(page: &str) -> Option<&str> {
    let tags = page.split('<').filter_map(|text| text.split('>').next());
    let input = tags
        .filter(|tag| tag.starts_with("input"))
        .find(|tag| attribute(tag, "name") == Some("token"))?;
    attribute(input, "value").filter(|token| !token.is_empty())
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_found_in_keystones_page_and_nowhere_else() {
        let page = "<form id=\"sso\" action=\"https://h/\" method=\"post\">\n<input type=\"hidden\" name=\"token\" \
                    id=\"token\" value=\"gAAAA-b_c\"/><input type=\"submit\" value=\"x\"></form>";
        assert_eq!(token_of(page), Some("gAAAA-b_c"));
        assert_eq!(token_of("<input value=\"t\" name=\"token\">"), Some("t"));
        for other in [
            "",
            "<input name=\"token\">",
            "<input name=\"token\" value=\"\">",
            "<p name=\"token\" value=\"x\">",
        ] {
            assert_eq!(token_of(other), None, "{other}");
        }
    }
}
