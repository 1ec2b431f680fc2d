//! A room's transcript as a file that is sent while it is read from the store.

use std::sync::Arc;
use std::time::Duration;

use anteroom_protocol::id::RoomRef;
use anteroom_protocol::transcript::Format;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream};
use serde::Deserialize;
use tokio::sync::mpsc;

use super::error::Problem;
use super::extract::{Named, Person, id};
use super::read::Asked;
use crate::app::transcript::{self, Place, Transcript, TranscriptError};
use crate::app::{App, AppError};

/// How long it is waited for a reader who takes nothing.
const PATIENCE: Duration = Duration::from_secs(30);

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
    let place = transcript::place(&app, &actor)?;
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
    Ok((headers, own, Body::from_stream(written(transcript, place))).into_response())
}

/// Why an answer ends before its end.
#[derive(Debug, thiserror::Error)]
enum Cut {
    #[error(transparent)]
    Unwritten(#[from] TranscriptError),
    #[error("its reader has stopped taking it")]
    Untaken,
}

/// What is handed on: a piece, or that the last one was the last.
type Handed = Result<Option<Bytes>, TranscriptError>;

/// Writes on as it is taken. An error cuts the connection, so that no answer looks complete that is not.
fn written(mut transcript: Transcript, place: Place) -> impl Stream<Item = Result<Bytes, Cut>> {
    let (hand, taken) = mpsc::channel::<Handed>(1);
    tokio::spawn(async move {
        let _place = place;
        loop {
            let next = transcript.next().await;
            if let Err(error) = &next {
                let room = transcript.room();
                tracing::error!(%room, %error, "a transcript was not written to its end");
            }
            let more = matches!(next, Ok(Some(_)));
            let handed = hand.send_timeout(next.map(|piece| piece.map(Bytes::from)), PATIENCE).await;
            if !more || handed.is_err() {
                break;
            }
        }
    });
    stream::try_unfold(taken, |mut taken| async {
        match taken.recv().await {
            Some(handed) => Ok(handed?.map(|bytes| (bytes, taken))),
            // It was waited for and is no more: its place is somebody else's.
            None => Err(Cut::Untaken),
        }
    })
}

impl From<TranscriptError> for Problem {
    fn from(error: TranscriptError) -> Self {
        AppError::Internal(error.to_string()).into()
    }
}
