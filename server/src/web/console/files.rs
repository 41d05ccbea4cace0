//! The stylesheet and the script: part of the program, named by what is in them, so that browsers may keep them for ever.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use actix_web::web::Path;

use super::failure::not_found;
use crate::keys::sha256_hex;

const STYLE: &str = include_str!("../../../static/console.css");
const SCRIPT: &str = include_str!("../../../static/console.js");

/// Where the stylesheet is.
pub(super) static STYLE_URL: LazyLock<String> = LazyLock::new(|| url("css", STYLE));
/// Where the script is.
pub(super) static SCRIPT_URL: LazyLock<String> = LazyLock::new(|| url("js", SCRIPT));

fn url(kind: &str, text: &str) -> String {
    let hash: String = sha256_hex(text.as_bytes()).chars().take(16).collect();
    format!("/console/files/{hash}.{kind}")
}

/// GET: one of the two.
pub(super) async fn show(name: Path<String>) -> HttpResponse {
    let wanted = format!("/console/files/{name}");
    let (kind, text) = if wanted == *STYLE_URL {
        ("text/css; charset=utf-8", STYLE)
    } else if wanted == *SCRIPT_URL {
        ("text/javascript; charset=utf-8", SCRIPT)
    } else {
        return not_found();
    };
    HttpResponse::Ok()
        .content_type(kind)
        .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(text)
}
