//! The workers: each has one webhook at a time, for as long as there is something to do for it. Any node may have any webhook; a slow address
//! keeps nobody but its own worker.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use anteroom_protocol::id::WebhookId;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::letter;
use super::round::{Ended, Errand, Failed, Plan};
use crate::app::{App, AppError};
use crate::domain::webhook::{Webhook, health};
use crate::store::{Attempt, Kept, LEASE, Moment, PageSize};
use crate::wire::event::of_entry;

/// How often it is looked whether there is something to do that nobody here has heard of: what others wrote, and whose time has come.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How soon after one look the next one may follow, whatever is written meanwhile.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// How long it is waited after the database failed.
const AFTER_AN_ERROR: Duration = Duration::from_secs(5);
/// Entries of one round. As many are told again, at most, when a node dies in the middle of one.
const ROUND: PageSize = PageSize { entries: 128, bytes: 1024 * 1024 };
/// Posts that are under way to one webhook.
const POSTS: usize = 8;
/// Posts that are under way from one node.
const POSTS_OF_ALL: usize = 128;

/// Delivers until it is to stop; then what is under way is waited for, and kept.
pub async fn deliver(app: Arc<App>, stop: CancellationToken) {
    let courier = Courier {
        app,
        worker: Uuid::new_v4(),
        posts: Arc::new(Semaphore::new(POSTS_OF_ALL)),
        stop: stop.clone(),
    };
    let (mut busy, mut work) = (HashSet::new(), JoinSet::new());
    while !stop.is_cancelled() {
        match courier.claim(&busy).await {
            Ok(Some(id)) => {
                busy.insert(id.clone());
                work.spawn(courier.clone().serve(id));
                continue;
            }
            Ok(None) => sleep(LOOK_AGAIN).await,
            Err(error) => {
                tracing::error!(%error, "webhooks wait");
                sleep(AFTER_AN_ERROR).await;
            }
        }
        // Fair: whatever comes first is a reason to look.
        tokio::select! {
            () = stop.cancelled() => {}
            () = courier.app.telling.stirred() => {}
            () = sleep(LOOK_EVERY) => {}
            Some(done) = work.join_next() => free(&mut busy, done),
        }
        while let Some(done) = work.try_join_next() {
            free(&mut busy, done);
        }
    }
    while work.join_next().await.is_some() {}
}

/// Nobody here works for that webhook any more. A worker that panicked leaves its webhook to the end of its lease.
fn free(busy: &mut HashSet<WebhookId>, done: Result<WebhookId, tokio::task::JoinError>) {
    match done {
        Ok(id) => drop(busy.remove(&id)),
        Err(error) => tracing::error!(%error, "a webhook's worker failed"),
    }
}

#[derive(Clone)]
struct Courier {
    app: Arc<App>,
    worker: Uuid,
    posts: Arc<Semaphore>,
    stop: CancellationToken,
}

impl Courier {
    async fn claim(&self, busy: &HashSet<WebhookId>) -> Result<Option<WebhookId>, AppError> {
        let busy: Vec<WebhookId> = busy.iter().cloned().collect();
        Ok(self.app.store.claim_webhook(self.worker, &busy, self.app.clock.now()).await?)
    }

    /// Works for a webhook until there is nothing to do, or it is to be left alone.
    async fn serve(self, id: WebhookId) -> WebhookId {
        loop {
            match self.round(&id).await {
                Ok(true) if !self.stop.is_cancelled() => {}
                Ok(_) => break,
                Err(error) => {
                    tracing::error!(webhook = %id, %error, "a webhook waits");
                    sleep(AFTER_AN_ERROR).await;
                    break;
                }
            }
        }
        if let Err(error) = self.app.store.leave_webhook(self.worker, &id).await {
            tracing::warn!(webhook = %id, %error, "a webhook is left to the end of its lease");
        }
        id
    }

    /// One round. Whether there may be another one at once.
    async fn round(&self, id: &WebhookId) -> Result<bool, AppError> {
        let Some(round) = self.app.store.round(id, self.app.clock.now(), ROUND).await? else {
            return Ok(false);
        };
        let Some((plan, errands)) = Plan::of(round) else { return Ok(false) };
        let ended = tokio::select! {
            // Fair: one of the two ends it.
            ended = self.run(&plan.webhook, errands) => ended,
            () = self.hold(id) => return Ok(false),
        };
        let (now, policy) = (self.app.clock.now(), self.app.policy.version);
        let settled = plan.settle(ended, now, rand::random);
        match self.app.store.settle(self.worker, id, &settled, Moment { now, policy }).await? {
            Kept::Yes { appended, goes_on } => {
                self.app.telling.committed(&appended);
                Ok(goes_on && settled.health.next_at <= now)
            }
            Kept::Lost => Ok(false),
        }
    }

    /// Keeps the lease; ends when it is lost.
    async fn hold(&self, id: &WebhookId) {
        loop {
            sleep(LEASE / 4).await;
            // When the database cannot say it, the lease goes on until its end, and what is kept then is compared.
            if let Ok(false) = self.app.store.hold_webhook(self.worker, id).await {
                return;
            }
        }
    }

    /// Runs all errands, several at a time.
    async fn run(&self, webhook: &Webhook, errands: Vec<Errand>) -> Vec<Ended> {
        let (webhook, own) = (Arc::new(webhook.clone()), Arc::new(Semaphore::new(POSTS)));
        let mut running = JoinSet::new();
        for errand in errands {
            let (courier, webhook, own) = (self.clone(), webhook.clone(), own.clone());
            running.spawn(async move { courier.errand(&webhook, errand, &own).await });
        }
        let mut ended = Vec::new();
        while let Some(done) = running.join_next().await {
            match done {
                Ok(done) => ended.push(done),
                Err(error) => tracing::error!(%error, "a webhook's errand failed"),
            }
        }
        ended
    }

    /// Tells entries one after the other, until one is not taken.
    async fn errand(&self, webhook: &Webhook, errand: Errand, own: &Semaphore) -> Ended {
        let mut ended = Ended::new(errand.source);
        let (mut attempt, mut posts) = (errand.attempts.saturating_add(1), 0);
        for told in errand.entries {
            let event = of_entry(&told.entry, told.case.as_ref(), webhook.target.audience);
            if let Some(event) = event.filter(|event| webhook.target.wants(&event.kind)) {
                let (Ok(_own), Ok(_all)) = (own.acquire().await, self.posts.acquire().await) else { break };
                if self.stop.is_cancelled() || posts == errand.posts {
                    break;
                }
                posts += 1;
                let (view, reply) = letter::send(&self.app, webhook, &event, attempt).await;
                let (status, error) = (view.status, view.error.clone());
                ended.attempts.push(Attempt { at: told.at, view });
                if !health::is_taken(status) {
                    let retry_after = reply.and_then(|reply| reply.retry_after);
                    ended.failed = Some(Failed { at: told.at, attempt, status, error, retry_after });
                    break;
                }
            }
            ended.last = Some(told.at);
            attempt = 1;
        }
        ended
    }
}
