//! As much of a browser as a sign-in on plain loopback needs: cookies, redirects, the first form.

use std::{collections::BTreeMap, time::Duration};

use reqwest::{Client, RequestBuilder, header};
use scraper::{Html, Selector};
use url::Url;

/// A client that follows nothing and keeps no cookies.
pub fn client() -> Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(Duration::from_secs(30))
        .build()
        .unwrap()
}

/// The cookies of one person, and where they are. All gateways are on one host, so they share the jar, as in a
/// browser (cookies know no ports); their names do not clash within one walk.
pub struct Walk<'c> {
    client: &'c Client,
    jar: BTreeMap<String, String>,
    pub url: Url,
    pub status: u16,
    pub html: String,
}

impl<'c> Walk<'c> {
    pub fn new(client: &'c Client) -> Self {
        Self {
            client,
            jar: BTreeMap::new(),
            url: Url::parse("http://127.0.0.1/").unwrap(),
            status: 0,
            html: String::new(),
        }
    }

    /// Goes on until a page stays, or before an address that begins with `stop`.
    pub async fn open(&mut self, url: &str, stop: &str) {
        let url = Url::parse(url).unwrap();
        let request = self.client.get(url.clone());
        self.go(url, request, stop).await;
    }

    /// Sends the first form of the page with `typed` beside its hidden fields.
    pub async fn submit(&mut self, typed: &[(&str, &str)], stop: &str) {
        let (url, fields) = self.filled(typed);
        let origin = url.origin().ascii_serialization();
        let request = self
            .client
            .post(url.clone())
            .header(header::ORIGIN, origin)
            .form(&fields);
        self.go(url, request, stop).await;
    }

    fn filled(&self, typed: &[(&str, &str)]) -> (Url, Vec<(String, String)>) {
        let html = Html::parse_document(&self.html);
        let form = Selector::parse("main form").unwrap();
        let form = html.select(&form).next().expect(&self.html);
        let hidden = Selector::parse("input[type=hidden]").unwrap();
        let own = form.select(&hidden).map(|input| {
            let attribute = |name| input.attr(name).unwrap_or_default().to_owned();
            (attribute("name"), attribute("value"))
        });
        let typed = typed
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let url = self.url.join(form.attr("action").unwrap_or_default()).unwrap();
        (url, own.chain(typed).collect())
    }

    async fn go(&mut self, mut url: Url, mut request: RequestBuilder, stop: &str) {
        for _ in 0..12 {
            let cookies: Vec<String> = self
                .jar
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let answer = request
                .header(header::COOKIE, cookies.join("; "))
                .send()
                .await
                .unwrap();
            for set in answer.headers().get_all(header::SET_COOKIE) {
                let pair = set.to_str().unwrap().split(';').next().unwrap();
                let (name, value) = pair.split_once('=').unwrap();
                self.jar.insert(name.to_owned(), value.to_owned());
            }
            self.status = answer.status().as_u16();
            let told = |name| {
                answer
                    .headers()
                    .get(name)
                    .map(|value| value.to_str().unwrap().to_owned())
            };
            let onward = told(header::LOCATION).or_else(|| {
                told(header::REFRESH).and_then(|text| text.strip_prefix("0; url=").map(str::to_owned))
            });
            let Some(onward) = onward else {
                self.url = url;
                self.html = answer.text().await.unwrap();
                return;
            };
            url = url.join(&onward).unwrap();
            if url.as_str().starts_with(stop) {
                self.url = url;
                return;
            }
            request = self.client.get(url.clone());
        }
        panic!("too many redirects, at last {url}");
    }
}
