//! The seeded demo: two people, two jobs, a fee, a pending invitation. Seeding is done with commands under fixed client ids, so doing it at
//! every start changes nothing after the first.

use anteroom_protocol::command::Command;
use anteroom_protocol::fee::FeeSchedule;
use anteroom_protocol::id::{ClientId, UserId};
use anteroom_protocol::invitation::InvitationSend;
use anteroom_protocol::job::{JobPosting, JobStatus};
use anteroom_protocol::terms::{Terms, TermsKind};
use anteroom_protocol::user::UserProfile;
use uuid::Uuid;

use super::dispatch::perform;
use super::{App, AppError, fee, job, user};
use crate::domain::actor::{Actor, Scope};

/// The demo's client.
pub const CLIENT: &str = "clara";
/// The demo's freelancer.
pub const FREELANCER: &str = "felix";

const INVITATION: ClientId = ClientId(Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0001));

/// Makes sure that the demo is there. A demo that people have played with is left as it is.
///
/// # Errors
/// The database cannot be written.
pub async fn seed(app: &App) -> Result<(), AppError> {
    if app.store.user(&known(CLIENT)).await?.is_none() {
        fee::put_schedule(app, known("default"), FeeSchedule::Flat { basis_points: 1_000 }).await?;
    }
    for (id, name) in [(CLIENT, "Clara Weber"), (FREELANCER, "Felix Okafor")] {
        let id: UserId = known(id);
        if app.store.user(&id).await?.is_none() {
            user::put(app, id, UserProfile::active(name)).await?;
        }
    }
    let client = Actor { user: known(CLIENT), scope: Scope::User };
    let jobs = [
        (
            "demo-job",
            "Landing page for a bicycle workshop",
            "One page, two languages, a booking form. Texts and photos are there.",
        ),
        (
            "demo-job-2",
            "Logo for a small bakery",
            "A simple mark that works on a paper bag, and the files to print it.",
        ),
    ];
    for (id, title, description) in jobs {
        if app.store.job(&client.user, &known(id)).await?.is_none() {
            job::put(app, known(id), posting(title, description)).await?;
        }
    }
    let invitation = InvitationSend {
        job: known("demo-job"),
        freelancer: known(FREELANCER),
        message: "Hello Felix, your work on the tool library's site is just what our workshop needs. Shall we talk about it?".into(),
        terms: Some(Terms {
            kind: TermsKind::Hourly,
            amount: 6_500,
            currency: "EUR".into(),
            weekly_hours: Some(20),
            milestones: None,
            duration_weeks: Some(4),
            start_date: None,
            scope: None,
        }),
    };
    perform(app, &client, INVITATION.into(), Command::InvitationSend(invitation), None)
        .outcome
        .await
        .map(drop)
}

fn known<T: std::str::FromStr<Err: std::fmt::Debug>>(id: &str) -> T {
    id.parse().expect("the demo's ids are ids")
}

fn posting(title: &str, description: &str) -> JobPosting {
    JobPosting {
        client: known(CLIENT),
        title: title.into(),
        description: description.into(),
        category: None,
        url: None,
        status: JobStatus::Open,
        fee_schedule: None,
    }
}
