//! What a person is told of the own rate: the fields of draft-ietf-httpapi-ratelimit-headers, on every answer that counts.

use std::sync::{Arc, OnceLock};

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

use crate::app::rate::Allowance;

/// How many are left, and until when.
pub(super) const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// How many there may be in which time.
pub(super) const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Where a handler leaves what its answer is to say of the allowance.
#[derive(Debug, Clone, Default)]
pub(super) struct Told(Arc<OnceLock<Allowance>>);

/// Leaves it there.
pub(super) fn tell(told: Option<&Told>, allowance: Option<Allowance>) {
    if let (Some(told), Some(allowance)) = (told, allowance) {
        // Each request takes from one allowance, once.
        let _ = told.0.set(allowance);
    }
}

/// Writes it into the answer's head.
pub(super) async fn show(mut request: Request, next: Next) -> Response {
    let told = Told::default();
    request.extensions_mut().insert(told.clone());
    let mut response = next.run(request).await;
    if let Some(allowance) = told.0.get() {
        write(allowance, response.headers_mut());
    }
    response
}

fn write(allowance: &Allowance, headers: &mut HeaderMap) {
    let Allowance { name, burst, window_seconds, remaining, full_seconds, .. } = allowance;
    let fields = [
        (RATE_LIMIT_POLICY, format!("\"{name}\";q={burst};w={window_seconds}")),
        (RATE_LIMIT, format!("\"{name}\";r={remaining};t={full_seconds}")),
    ];
    for (name, value) in fields {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
}
