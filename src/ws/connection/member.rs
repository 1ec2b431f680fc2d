//! Somebody joins the people of a room, or is removed from it, while this socket reads it.

use anteroom_protocol::id::UserId;
use anteroom_protocol::member::MemberNamed;

use super::Connection;
use crate::app::App;
use crate::domain::log::{Log, LogEntry};
use crate::wire::to_wire::Audience;

impl Connection {
    /// What follows for this socket from an entry that it was just sent.
    pub(super) async fn on_member(&mut self, entry: &LogEntry) {
        if !matches!(entry.log, Log::Room(_)) {
            return;
        }
        let Ok(MemberNamed { user, .. }) = serde_json::from_str(entry.public.json()) else { return };
        let app = self.door.app.clone();
        let audience = self.session.cursor(&entry.log).map(|cursor| cursor.audience);
        if user == self.actor.user && audience_by_now(&app, &user, &entry.log).await != audience {
            // The entry that says so was the last one.
            self.seat.leave(&entry.log);
            self.session.leave(&entry.log);
        } else if &*entry.kind == "member.added" {
            self.seat.meet(&entry.log, &user);
        }
    }
}

/// As whose eyes this person reads the room by now, if at all: an old entry may tell of an earlier removal, and who was brought in
/// again may be on the other side. Of whom that cannot be said reads nothing.
async fn audience_by_now(app: &App, user: &UserId, log: &Log) -> Option<Audience> {
    let access = app.store.access(user, &[(log.clone(), 0)]).await.ok()?;
    access.into_iter().flatten().next().map(|access| Audience::of(log, access.side))
}
