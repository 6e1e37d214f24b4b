//! The page at `/`: files that are part of the program, plain ES modules without a build step, and uPlot.
//!
//! Reading order of the files: `index.html` the frame, `main.js` which page the address names, `address.js` what it holds,
//! `api.js` questions and the stream, `panel.js` and `table.js` what pages are made of, `charts.js`, `heat.js` and `series.js`
//! figures over time, `forecast.js` how something grows, `findings.js` what stands out, `demo.js` what was made up, `dialog.js` what is asked before something is done, `pages/` one file a page; `tokens.css` and `style.css`.
//!
//! The files are open to everybody (DESIGN §8): they hold no figures. The policy lets the page load its own files and nothing
//! else; statements come in as text nodes.

use std::borrow::Cow;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use xxhash_rust::xxh3::xxh3_64;

use super::app::App;
use super::problem::{Kind, Problem};

/// What the page may do: load its own files, ask its own server.
const POLICY: &str =
    "default-src 'self'; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// One file.
struct Asset {
    name: &'static str,
    content_type: &'static str,
    content: &'static [u8],
}

macro_rules! assets {
    ($($content_type:expr => [$($name:literal $(in $folder:literal)?),+ $(,)?]),+ $(,)?) => {
        &[$($(Asset { name: $name, content_type: $content_type, content: include_bytes!(concat!($($folder,)? $name)) }),+),+]
    };
}

/// All files below `/assets/`, by a name without folders.
const ASSETS: &[Asset] = assets! {
    SCRIPT => [
        "theme.js", "main.js", "address.js", "api.js", "charts.js", "demo.js", "dialog.js", "dom.js", "findings.js", "forecast.js", "format.js", "heat.js", "panel.js",
        "series.js", "signin.js", "sql.js", "table.js",
        "uPlot.iife.min.js" in "vendor/",
    ],
    STYLE => ["tokens.css", "style.css", "uPlot.min.css" in "vendor/"],
    "image/svg+xml" => ["favicon.svg"],
};

/// Modules below `/assets/pages/`.
const PAGES: &[Asset] = assets! {
    SCRIPT => [
        "alerts.js" in "pages/", "capacity.js" in "pages/", "fleet.js" in "pages/", "now.js" in "pages/", "object.js" in "pages/", "overview.js" in "pages/",
        "server.js" in "pages/", "statement.js" in "pages/", "statements.js" in "pages/",
    ],
};

/// The frame of all pages, which says whether they are a fleet's alone.
pub(super) async fn index(State(app): State<App>, headers: HeaderMap) -> Response {
    const INDEX: &str = include_str!("index.html");
    const HTML: &str = "text/html; charset=utf-8";
    if app.measures() {
        return answer(HTML, INDEX.as_bytes().into(), &headers);
    }
    answer(HTML, INDEX.replacen("<html ", "<html data-serves ", 1).into_bytes().into(), &headers)
}

/// A file that the page loads.
pub(super) async fn asset(name: Result<Path<String>, PathRejection>, headers: HeaderMap) -> Response {
    let name = name.map(|Path(name)| name).unwrap_or_default();
    let (assets, name) = match name.strip_prefix("pages/") {
        Some(name) => (PAGES, name),
        None => (ASSETS, name.as_str()),
    };
    match assets.iter().find(|asset| asset.name == name) {
        Some(asset) => answer(asset.content_type, asset.content.into(), &headers),
        None => Problem::new(Kind::NotFound, "the dashboard has no such file").into_response(),
    }
}

/// A file; without its content when the browser has the same.
fn answer(content_type: &'static str, content: Cow<'static, [u8]>, headers: &HeaderMap) -> Response {
    let tag = format!("\"{:016x}\"", xxh3_64(&content));
    // A proxy that compresses makes the tag a weak one, which is as good here (RFC 9110 §13.1.2).
    let known = headers.get(header::IF_NONE_MATCH).and_then(|known| known.to_str().ok()).unwrap_or_default();
    let is_known = known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag);
    let policy = [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        // Kept, but asked for each time: a new version shows at once.
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::ETAG, HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("\"\""))),
    ];
    if is_known { (StatusCode::NOT_MODIFIED, policy).into_response() } else { (policy, content).into_response() }
}
