//! What was refused over HTTP, for the log: the answer says why, and the extractors leave here who asked.

use std::sync::{Arc, OnceLock};

use anteroom_protocol::error::ErrorCode;
use axum::Extension;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use crate::app::App;
use crate::app::audit::Refused;
use crate::domain::actor::Actor;
use crate::peer::Peer;

/// Characters of a path that reach the log: more than any path of ours has.
const PATH: usize = 200;

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
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let response = next.run(request).await;
    if let Some(code) = response.extensions().get::<ErrorCode>() {
        let path: String = uri.path().chars().take(PATH).collect();
        let (address, who, what) = (peer.address, asker.0.get(), method.as_str());
        app.audit.refused(&Refused { address, who, what, which: Some(&path), code: *code });
    }
    response
}
