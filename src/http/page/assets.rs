//! The stylesheet and the mark, embedded, served under a name that holds a hash of the content.

use aws_lc_rs::digest;
use axum::{Router, response::IntoResponse, routing::get};
use http::{HeaderName, header};

/// One file.
#[derive(Debug, Clone)]
pub struct Asset {
    /// Where it is served.
    pub path: String,
    media_type: &'static str,
    content: &'static str,
}

impl Asset {
    fn new(stem: &str, extension: &str, media_type: &'static str, content: &'static str) -> Self {
        let hash = digest::digest(&digest::SHA256, content.as_bytes());
        let short: String = hash
            .as_ref()
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self {
            path: format!("/assets/{stem}-{short}.{extension}"),
            media_type,
            content,
        }
    }
}

/// All of them.
#[derive(Debug, Clone)]
pub struct Assets {
    /// The one stylesheet.
    pub style: Asset,
    /// The mark, also the icon of the browser's tab.
    pub mark: Asset,
}

impl Default for Assets {
    fn default() -> Self {
        Self {
            style: Asset::new(
                "style",
                "css",
                "text/css; charset=utf-8",
                include_str!("assets/style.css"),
            ),
            mark: Asset::new("mark", "svg", "image/svg+xml", include_str!("assets/mark.svg")),
        }
    }
}

impl Assets {
    /// Their routes. The name changes with the content, so browsers may keep them for a year.
    pub fn routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let mut router = Router::new();
        for asset in [&self.style, &self.mark] {
            let (media_type, content) = (asset.media_type, asset.content);
            let serve = move || async move {
                let headers: [(HeaderName, &'static str); 4] = [
                    (header::CONTENT_TYPE, media_type),
                    (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
                    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
                    // Opened by itself, the mark is a document: it may do nothing either.
                    (header::CONTENT_SECURITY_POLICY, "default-src 'none'"),
                ];
                (headers, content).into_response()
            };
            router = router.route(&asset.path, get(serve));
        }
        router
    }
}
