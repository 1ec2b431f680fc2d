//! What was refused over HTTP, for the log: the answer says why, and the extractors leave here who asked.

use std::sync::{Arc, OnceLock};

use anteroom_protocol::error::ErrorCode;
use axum::Extension;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;

use crate::app::App;
use crate::app::audit::Refused;
use crate::domain::actor::Actor;
use crate::peer::Peer;

/// Where it is left who asked.
#[derive(Debug, Clone, Default)]
pub(super) struct Asker(Arc<OnceLock<Actor>>);

impl Asker {
    /// Leaves it there.
    pub(super) fn is(&self, actor: &Actor) {
        // Each request is one person's.
        let _ = self.0.set(actor.clone());
    }
}

/// Has what is refused written down.
pub(super) async fn watch(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    mut request: Request,
    next: Next,
) -> Response {
    let asker = Asker::default();
    request.extensions_mut().insert(asker.clone());
    // Of the path as it was sent nothing is written but ids of ours: somebody may have put a token there, or words.
    let route = request.extensions().get::<MatchedPath>().cloned();
    let which = request.uri().path().split('/').find_map(|part| part.parse().ok());
    let method = request.method().clone();
    let response = next.run(request).await;
    if let Some(code) = response.extensions().get::<ErrorCode>() {
        let what = format!("{method} {}", route.as_ref().map_or("", MatchedPath::as_str));
        let (address, who) = (peer.address, asker.0.get());
        app.audit.refused(&Refused { address, who, what: &what, which, code: *code });
    }
    response
}
