//! The built-in page: static files in the binary. It is an ordinary client of the wire; nothing here serves it alone.

use axum::Router;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::IntoResponse;
use axum::routing::get;

/// No inline script or style, nothing from elsewhere, and no text ever parsed as markup or script but the address of the page's own service worker
/// (`push.js`); the socket and pictures of people are all the page reaches out for.
const POLICY: &str = "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data: https:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'self'; object-src 'none'; \
                      require-trusted-types-for 'script'; trusted-types anteroom";

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const MANIFEST: &str = "application/manifest+json";
const PICTURE: &str = "image/svg+xml";

/// Path, form and content of every file.
const FILES: &[(&str, &str, &str)] = &[
    ("/", HTML, include_str!("pages/index.html")),
    ("/app.css", STYLE, include_str!("assets/app.css")),
    ("/cards.css", STYLE, include_str!("assets/cards.css")),
    ("/negotiation.css", STYLE, include_str!("assets/negotiation.css")),
    ("/account.js", SCRIPT, include_str!("assets/account.js")),
    ("/app.js", SCRIPT, include_str!("assets/app.js")),
    ("/banner.js", SCRIPT, include_str!("assets/banner.js")),
    ("/cases.js", SCRIPT, include_str!("assets/cases.js")),
    ("/composer.js", SCRIPT, include_str!("assets/composer.js")),
    ("/connection.js", SCRIPT, include_str!("assets/connection.js")),
    ("/dialog.js", SCRIPT, include_str!("assets/dialog.js")),
    ("/dom.js", SCRIPT, include_str!("assets/dom.js")),
    ("/events.js", SCRIPT, include_str!("assets/events.js")),
    ("/facts.js", SCRIPT, include_str!("assets/facts.js")),
    ("/forms.js", SCRIPT, include_str!("assets/forms.js")),
    ("/guard.js", SCRIPT, include_str!("assets/guard.js")),
    ("/http.js", SCRIPT, include_str!("assets/http.js")),
    ("/inbox.js", SCRIPT, include_str!("assets/inbox.js")),
    ("/ledger.js", SCRIPT, include_str!("assets/ledger.js")),
    ("/lists.js", SCRIPT, include_str!("assets/lists.js")),
    ("/log.js", SCRIPT, include_str!("assets/log.js")),
    ("/message.js", SCRIPT, include_str!("assets/message.js")),
    ("/money.js", SCRIPT, include_str!("assets/money.js")),
    ("/negotiation.js", SCRIPT, include_str!("assets/negotiation.js")),
    ("/offers.js", SCRIPT, include_str!("assets/offers.js")),
    ("/outbox.js", SCRIPT, include_str!("assets/outbox.js")),
    ("/people.js", SCRIPT, include_str!("assets/people.js")),
    ("/profile.js", SCRIPT, include_str!("assets/profile.js")),
    ("/push.js", SCRIPT, include_str!("assets/push.js")),
    ("/sw.js", SCRIPT, include_str!("assets/sw.js")),
    ("/manifest.webmanifest", MANIFEST, include_str!("assets/manifest.webmanifest")),
    ("/icon.svg", PICTURE, include_str!("assets/icon.svg")),
    ("/proposing.js", SCRIPT, include_str!("assets/proposing.js")),
    ("/reading.js", SCRIPT, include_str!("assets/reading.js")),
    ("/refusals.js", SCRIPT, include_str!("assets/refusals.js")),
    ("/roomframe.js", SCRIPT, include_str!("assets/roomframe.js")),
    ("/rooms.js", SCRIPT, include_str!("assets/rooms.js")),
    ("/roomview.js", SCRIPT, include_str!("assets/roomview.js")),
    ("/rows.js", SCRIPT, include_str!("assets/rows.js")),
    ("/search.js", SCRIPT, include_str!("assets/search.js")),
    ("/seal.js", SCRIPT, include_str!("assets/seal.js")),
    ("/signin.js", SCRIPT, include_str!("assets/signin.js")),
    ("/store.js", SCRIPT, include_str!("assets/store.js")),
    ("/terms.js", SCRIPT, include_str!("assets/terms.js")),
    ("/termsform.js", SCRIPT, include_str!("assets/termsform.js")),
    ("/transcript.js", SCRIPT, include_str!("assets/transcript.js")),
    ("/unread.js", SCRIPT, include_str!("assets/unread.js")),
];

/// The routes of the page.
pub fn router() -> Router {
    FILES.iter().fold(Router::new(), |router, &(path, form, content)| {
        let headers = [
            (CONTENT_TYPE, form),
            (CONTENT_SECURITY_POLICY, POLICY),
            (CACHE_CONTROL, "no-cache"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (REFERRER_POLICY, "no-referrer"),
        ];
        router.route(path, get(move || async move { (headers, content).into_response() }))
    })
}
