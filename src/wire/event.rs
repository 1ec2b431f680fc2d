//! Entries as other systems hear of them: CloudEvents 1.0, for one audience at a time.

use anteroom_protocol::entry::EntryFrame;
use anteroom_protocol::event::{self, Event, EventAudience, EventCase, EventData};
use anteroom_protocol::id::{CandidacyId, JobId, UserId, WebhookId};
use anteroom_protocol::time::Time;
use serde::Deserialize;

use crate::domain::log::{Log, LogEntry};
use crate::wire::to_wire::{Audience, entry_frame};

/// The event of an entry; `None`: it is not for this audience. `case` is the case of the entry's room.
pub fn of_entry(entry: &LogEntry, case: Option<&EventCase>, audience: EventAudience) -> Option<Event> {
    let (subject, inbox_of, case) = match &entry.log {
        Log::Room(room) => (format!("rooms/{room}"), None, case.cloned()),
        Log::Inbox(owner) => {
            let case = case_of_notice(entry);
            if !is_told_of_inbox(owner, case.as_ref(), audience) {
                return None;
            }
            (format!("users/{owner}/inbox"), Some(owner.clone()), case)
        }
    };
    let entry = frame(entry, audience);
    Some(Event {
        id: event::id_of(&entry.hash),
        kind: event::type_of(entry.room, &entry.kind),
        time: entry.at,
        data: EventData { entry: Some(entry), inbox_of, case, webhook: None },
        ..blank(subject)
    })
}

/// The event that tests whether a webhook is reached.
pub fn ping(webhook: &WebhookId, id: String, now: Time) -> Event {
    let data = EventData { entry: None, inbox_of: None, case: None, webhook: Some(webhook.clone()) };
    Event { id, kind: event::PINGED.to_owned(), time: now, data, ..blank(format!("webhooks/{webhook}")) }
}

fn blank(subject: String) -> Event {
    Event {
        specversion: "1.0".to_owned(),
        id: String::new(),
        source: "anteroom".to_owned(),
        kind: String::new(),
        subject,
        time: Time::from_micros(0),
        datacontenttype: "application/json".to_owned(),
        data: EventData { entry: None, inbox_of: None, case: None, webhook: None },
    }
}

fn frame(entry: &LogEntry, audience: EventAudience) -> EntryFrame {
    let eyes = match audience {
        EventAudience::Client => Audience::Client,
        // The marketplace computes the fees itself.
        EventAudience::Freelancer | EventAudience::Marketplace => Audience::Freelancer,
    };
    entry_frame(entry, eyes, false)
}

/// An inbox is told to the side that its owner has in the case it is about. What is about no case, or about one that its owner is only a further
/// member of, is the marketplace's alone.
fn is_told_of_inbox(owner: &UserId, case: Option<&EventCase>, audience: EventAudience) -> bool {
    match audience {
        EventAudience::Marketplace => true,
        EventAudience::Client => case.is_some_and(|case| case.client == *owner),
        EventAudience::Freelancer => case.is_some_and(|case| case.freelancer == *owner),
    }
}

/// The case that a notice is about.
fn case_of_notice(entry: &LogEntry) -> Option<EventCase> {
    #[derive(Deserialize)]
    struct Notice {
        candidacy: CandidacyId,
        job: Job,
        client: UserId,
        freelancer: UserId,
    }
    #[derive(Deserialize)]
    struct Job {
        id: JobId,
    }
    let Notice { candidacy, job, client, freelancer } = serde_json::from_str(entry.public.json()).ok()?;
    Some(EventCase { candidacy, job: job.id, client, freelancer })
}
