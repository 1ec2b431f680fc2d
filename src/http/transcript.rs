//! A room's transcript as a file that is sent while it is read from the store.

use std::sync::Arc;

use anteroom_protocol::id::RoomRef;
use anteroom_protocol::transcript::Format;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Deserialize;

use super::error::Problem;
use super::extract::{Named, Person, id};
use super::read::Asked;
use crate::app::transcript::{self, Transcript, TranscriptError};
use crate::app::{App, AppError};

#[derive(Deserialize)]
pub(super) struct TranscriptQuery {
    #[serde(default)]
    format: Format,
}

/// `GET /v1/rooms/{room}/transcript`
pub(super) async fn get(
    State(app): State<Arc<App>>,
    Person(actor): Person,
    Named(room): Named<String>,
    Asked(TranscriptQuery { format }): Asked<TranscriptQuery>,
) -> Result<Response, Problem> {
    let room: RoomRef = id(&room)?;
    let transcript = transcript::begin(&app, &actor, room, format).await?;
    let headers = [
        (CONTENT_TYPE, format!("{}; charset=utf-8", format.media_type())),
        (CACHE_CONTROL, "no-store".to_owned()),
        (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (REFERRER_POLICY, "no-referrer".to_owned()),
    ];
    let own = match format {
        Format::Jsonl => {
            [(CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", transcript.file_name()))]
        }
        Format::Html => [(CONTENT_SECURITY_POLICY, transcript::POLICY.to_owned())],
    };
    let body = Body::from_stream(stream::try_unfold(transcript, piece));
    Ok((headers, own, body).into_response())
}

/// The next piece. An error cuts the connection, so that no answer looks complete that is not.
async fn piece(mut transcript: Transcript) -> Result<Option<(Bytes, Transcript)>, TranscriptError> {
    match transcript.next().await {
        Ok(piece) => Ok(piece.map(|bytes| (bytes.into(), transcript))),
        Err(error) => {
            let room = transcript.room();
            tracing::error!(%room, %error, "a transcript was not written to its end");
            Err(error)
        }
    }
}

impl From<TranscriptError> for Problem {
    fn from(error: TranscriptError) -> Self {
        AppError::Internal(error.to_string()).into()
    }
}
