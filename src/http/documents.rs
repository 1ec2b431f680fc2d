//! The published documents of the wire, as they are in the repository: a client's author gets those of the very server that answers.

use std::sync::LazyLock;

use anteroom_protocol::log::to_hex;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use sha2::{Digest as _, Sha256};

/// A document and the name of this version of it.
struct Document {
    text: &'static str,
    etag: String,
}

impl Document {
    fn new(text: &'static str) -> Self {
        let digest = Sha256::digest(text);
        Self { text, etag: format!("\"{}\"", to_hex(&digest[..16])) }
    }

    /// Nothing but the headers to somebody who has this version.
    fn answer(&self, asked: &HeaderMap) -> Response {
        let headers = [
            (CONTENT_TYPE, "application/json"),
            (CACHE_CONTROL, "no-cache"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (ETAG, &self.etag),
        ];
        if self.is_known(asked) {
            (StatusCode::NOT_MODIFIED, headers).into_response()
        } else {
            (headers, self.text).into_response()
        }
    }

    /// Whether `If-None-Match` names this version, possibly among others and possibly as a weak one (RFC 9110, 13.1.2).
    fn is_known(&self, asked: &HeaderMap) -> bool {
        let lists = asked.get_all(IF_NONE_MATCH).into_iter().filter_map(|value| value.to_str().ok());
        lists
            .flat_map(|list| list.split(','))
            .map(str::trim)
            .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == self.etag)
    }
}

static OPENAPI: LazyLock<Document> =
    LazyLock::new(|| Document::new(include_str!("../../protocol/openapi.json")));
static ASYNCAPI: LazyLock<Document> =
    LazyLock::new(|| Document::new(include_str!("../../protocol/asyncapi.json")));

/// `GET /openapi.json`
pub(super) async fn openapi(headers: HeaderMap) -> Response {
    OPENAPI.answer(&headers)
}

/// `GET /asyncapi.json`
pub(super) async fn asyncapi(headers: HeaderMap) -> Response {
    ASYNCAPI.answer(&headers)
}
