//! The workers: find out who is to be pushed what, and push it, if it is still news when its time has come.

use std::sync::Arc;
use std::time::Duration;

use anteroom_protocol::id::InvitationId;
use anteroom_protocol::invitation::InvitationStatus;
use anteroom_protocol::push::PushKind;
use anteroom_protocol::time::Time;
use serde::Deserialize;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::word;
use crate::app::{App, AppError};
use crate::domain::log::{Log, Part};
use crate::domain::push::{again, is_gone, kind_of, may_come_again};
use crate::hub::Arrived;
use crate::store::{Push, Pushed};

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long it is waited after the database failed.
const AFTER_AN_ERROR: Duration = Duration::from_secs(5);

/// Pushes until it is to stop; then what is under way is waited for, and kept.
pub async fn push(app: Arc<App>, stop: CancellationToken) {
    let postponing = tokio::spawn(postpone(app.clone(), stop.clone()));
    while !stop.is_cancelled() {
        let wait = match look(&app).await {
            Ok(true) => continue,
            Ok(false) => LOOK_EVERY,
            Err(error) => {
                tracing::error!(%error, "push notifications wait");
                AFTER_AN_ERROR
            }
        };
        // Fair: either is a reason to look whether it is to stop.
        tokio::select! {
            () = stop.cancelled() => {}
            () = sleep(wait) => {}
        }
    }
    postponing.abort();
}

/// Finds some of what is to be pushed, and pushes some of what is due. Whether there may be more.
async fn look(app: &Arc<App>) -> Result<bool, AppError> {
    let now = app.clock.now();
    let up_to = now.plus_seconds(-i64::from(app.policy.push_delay_seconds));
    // What cannot be looked for holds up nothing that is due.
    let found = app.store.find_pushes(up_to, now).await;
    // Each time another worker: what one was given and could not keep is somebody's whose lease ends.
    let worker = Uuid::new_v4();
    let due = app.store.claim_pushes(worker, now).await?;
    let is_some = !due.is_empty();
    let mut sending = JoinSet::new();
    for push in due {
        let app = app.clone();
        sending.spawn(async move {
            let pushed = send(&app, &push).await;
            while let Err(error) = app.store.settle_push(worker, push.key, pushed).await {
                tracing::warn!(%error, "what came of a push is not kept yet");
                sleep(LOOK_EVERY).await;
            }
        });
    }
    while sending.join_next().await.is_some() {}
    Ok(found? || is_some)
}

/// Pushes, if it is still news.
async fn send(app: &App, push: &Push) -> Pushed {
    let now = app.clock.now();
    let (kind, invitation) = match news(app, push, now).await {
        Ok(Some(news)) => news,
        Ok(None) => {
            app.metrics.pushed("no_news");
            return Pushed::Over;
        }
        Err(error) => {
            tracing::warn!(%error, "whether a push is still news is not known");
            return Pushed::Again(now.plus_seconds(5));
        }
    };
    let Some(letter) = app.pushes.letter(push, kind, invitation, now) else {
        app.metrics.pushed("refused");
        return Pushed::Gone;
    };
    let reply = app.outbound.post(letter).await;
    let (status, retry_after) = match &reply {
        Ok(reply) => (Some(reply.status), reply.retry_after),
        Err(_) => (None, None),
    };
    let outcome = |outcome, pushed| {
        app.metrics.pushed(outcome);
        pushed
    };
    match status {
        Some(200..=299) => outcome("taken", Pushed::Over),
        status if is_gone(status) => outcome("gone", Pushed::Gone),
        status if may_come_again(status) => {
            match again(now, push.attempts.saturating_add(1), retry_after, rand::random()) {
                Some(at) => outcome("failed", Pushed::Again(at)),
                None => outcome("given_up", Pushed::Over),
            }
        }
        status => {
            let text = reply.map(|reply| reply.text).unwrap_or_default();
            tracing::warn!(status, text, "a push service refuses what it is sent");
            outcome("refused", Pushed::Over)
        }
    }
}

/// What it is, if it is still news: not read by now on any device, not muted, not deleted, and not withdrawn.
async fn news(
    app: &App,
    push: &Push,
    now: Time,
) -> Result<Option<(PushKind, Option<InvitationId>)>, AppError> {
    let entry = &push.told.entry;
    let is_inbox = matches!(entry.log, Log::Inbox(_));
    let Some(kind) = kind_of(is_inbox, &entry.kind) else { return Ok(None) };
    let room = entry.log.reference().to_string();
    let is_muted = push.mutes.iter().any(|what| what == word(kind) || *what == room);
    if is_muted || entry.seq <= push.read || matches!(entry.public, Part::Deleted(_)) {
        return Ok(None);
    }
    if kind != PushKind::Invitations {
        return Ok(Some((kind, None)));
    }
    #[derive(Deserialize)]
    struct Notice {
        invitation: Option<InvitationId>,
    }
    let notice: Option<Notice> = serde_json::from_str(entry.public.json()).ok();
    let Some(invitation) = notice.and_then(|notice| notice.invitation) else { return Ok(None) };
    let view = app.store.invitation(&push.user, invitation, now).await?;
    let is_open = view.is_some_and(|view| view.status == InvitationStatus::Pending);
    Ok(is_open.then_some((kind, Some(invitation))))
}

/// Invitations that came to a socket of their freelancer's on this node are not pushed before there was time to read them.
async fn postpone(app: Arc<App>, stop: CancellationToken) {
    let mut arrived = app.hub.arrivals();
    while let Some(Some(Arrived { log, seq })) = stop.run_until_cancelled(arrived.recv()).await {
        let until = app.clock.now().plus_seconds(i64::from(app.policy.push_delay_seconds));
        if let Err(error) = app.store.postpone_push(&log, seq, until).await {
            tracing::warn!(%error, "somebody may be pushed what is on a screen already");
        }
    }
}
