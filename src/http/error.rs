//! Errors as problem documents (RFC 9457), with the codes of the one table.

use anteroom_protocol::error::ErrorBody;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::app::AppError;

/// An error on its way out.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem(pub ErrorBody);

impl From<AppError> for Problem {
    fn from(error: AppError) -> Self {
        if let AppError::Internal(why) = &error {
            tracing::error!(why, "a request failed");
        }
        Self(error.body())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.0.code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        self.under(status)
    }
}

impl Problem {
    /// The answer under a status that is not the code's own, as HTTP sometimes wants it.
    pub fn under(self, status: StatusCode) -> Response {
        let Self(body) = self;
        let mut document = json!({
            "type": "about:blank",
            "title": status.canonical_reason().unwrap_or("Error"),
            "status": status.as_u16(),
            "detail": body.message,
        });
        // The fields that the socket's errors have stand beside, under the same names.
        if let (Some(document), Ok(Value::Object(fields))) =
            (document.as_object_mut(), serde_json::to_value(&body))
        {
            document.extend(fields.into_iter().filter(|(name, _)| name != "message"));
        }
        let mut response = (status, document.to_string()).into_response();
        response.extensions_mut().insert(body.code);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(after) = body.retry_after_ms {
            headers.insert(RETRY_AFTER, HeaderValue::from(after.div_ceil(1_000)));
        }
        response
    }
}
