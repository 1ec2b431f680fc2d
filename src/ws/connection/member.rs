//! Somebody joins the people of a room, or is removed from it, while this socket reads it.

use anteroom_protocol::id::UserId;
use anteroom_protocol::member::MemberNamed;

use super::Connection;
use crate::app::App;
use crate::domain::log::{Log, LogEntry};

impl Connection {
    /// What follows for this socket from an entry that it was just sent.
    pub(super) async fn on_member(&mut self, entry: &LogEntry) {
        if !matches!(entry.log, Log::Room(_)) {
            return;
        }
        let Ok(MemberNamed { user, .. }) = serde_json::from_str(entry.public.json()) else { return };
        let app = self.door.app.clone();
        if user == self.actor.user && !is_still_in(&app, &user, &entry.log).await {
            // The entry that says so was the last one.
            self.seat.leave(&entry.log);
            self.session.leave(&entry.log);
        } else if &*entry.kind == "member.added" {
            self.seat.meet(&entry.log, &user);
        }
    }
}

/// Whether this person is in the room by now: an old entry may tell of an earlier removal. Of whom that cannot be said is not.
async fn is_still_in(app: &App, user: &UserId, log: &Log) -> bool {
    let access = app.store.access(user, &[(log.clone(), 0)]).await;
    access.is_ok_and(|access| access.iter().any(Option::is_some))
}
