//! Telling: what was committed, and what is only news, goes to the sockets of this node and to the other nodes.

use std::sync::Arc;

use anteroom_protocol::id::UserId;
use anteroom_protocol::server::ServerFrame;
use tokio::sync::Notify;

use crate::bus::{Bus, Whisper, Word};
use crate::domain::log::Log;
use crate::failpoint::Failpoint;
use crate::hub::Hub;
use crate::hub::elsewhere::Others;
use crate::hub::outbox::News;
use crate::store::Appended;

/// This node's sockets, and the other nodes.
pub struct Telling {
    hub: Arc<Hub>,
    bus: Arc<dyn Bus>,
    stir: Notify,
}

impl Telling {
    /// To these sockets and over this bus.
    pub fn new(hub: Arc<Hub>, bus: Arc<dyn Bus>) -> Self {
        Self { hub, bus, stir: Notify::new() }
    }

    /// Of entries that were committed here: first those who are here, who never wait for the others.
    pub fn committed(&self, appended: &[Appended]) {
        if !appended.is_empty() {
            if Failpoint::DieUntold.fails() {
                std::process::abort();
            }
            if Failpoint::TellNobody.fails() {
                return;
            }
        }
        self.hub.deliver(appended);
        self.bus.announce(appended);
        if !appended.is_empty() {
            self.stir();
        }
    }

    /// That there may be something to do for whoever tells other systems.
    pub fn stir(&self) {
        self.stir.notify_one();
    }

    /// Waits for that. Only one task may wait.
    pub async fn stirred(&self) {
        self.stir.notified().await;
    }

    /// That something about this person has changed: each of the person's sockets looks for itself.
    pub fn person_changed(&self, user: &UserId) {
        self.hub.person_changed(user);
        self.bus.person_changed(user);
    }

    /// That something may have been committed here of which nobody knows, and nobody is told: the other nodes look for it.
    pub fn doubt(&self) {
        self.bus.doubt();
    }

    /// The sockets.
    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }
}

/// The other nodes as the hub knows them.
pub struct OverTheBus(pub Arc<dyn Bus>);

impl Others for OverTheBus {
    fn news(&self, people: &[UserId], log: &Log, news: &News) {
        let word = match news.frame() {
            ServerFrame::Receipt(receipt) => {
                Word::Receipt { delivered: receipt.delivered, read: receipt.read, marker: receipt.marker }
            }
            ServerFrame::Presence { online, .. } => Word::Presence { online: *online },
            ServerFrame::Typing { .. } => Word::Typing,
            // Entries and answers are told in other ways.
            ServerFrame::Welcome(_)
            | ServerFrame::Ok { .. }
            | ServerFrame::Error { .. }
            | ServerFrame::Entry(_)
            | ServerFrame::Gap { .. }
            | ServerFrame::Reset { .. }
            | ServerFrame::Activity { .. }
            | ServerFrame::Pong { .. }
            | ServerFrame::Account(_)
            | ServerFrame::Goaway { .. } => return,
        };
        self.whisper(news.about(), log, people, word);
    }

    fn ask(&self, who: &UserId, log: &Log, people: &[UserId]) {
        self.whisper(who, log, people, Word::Asking);
    }
}

impl OverTheBus {
    fn whisper(&self, about: &UserId, log: &Log, people: &[UserId], word: Word) {
        if !people.is_empty() {
            self.0.whisper(&Whisper { log: log.clone(), about: about.clone(), people: people.into(), word });
        }
    }
}
