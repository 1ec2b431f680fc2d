//! What the marketplace tells: people and jobs. And the store's own keys.

use anteroom::store::CaseKey;
use anteroom_protocol::fee::FeeSchedule;
use anteroom_protocol::id::{FeeScheduleId, JobId, UserId};
use anteroom_protocol::job::{JobPosting, JobStatus};
use anteroom_protocol::time::Time;
use anteroom_protocol::user::{UserProfile, UserStatus};

use super::world::{World, not_kept, posting, profile, user};

pub(super) async fn a_person_is_what_the_marketplace_told_last(mut world: World) {
    let (felix, nobody) = (user("felix"), user("nobody"));
    let whole = UserProfile {
        name: "Félix".into(),
        avatar_url: Some("https://marketplace.example/felix.png".into()),
        profile_url: Some("https://marketplace.example/felix".into()),
        status: UserStatus::Suspended,
        status_reason: Some("A complaint.\nMore than one.".into()),
        status_reversible: Some(true),
        status_next_step: Some("Write to us.".into()),
    };
    for told in [whole.clone(), profile("felix", UserStatus::Inactive), whole] {
        world.store().put_user(&felix, &told, world.moment()).await.expect("kept");
        assert_eq!(known(&world, &felix).await.as_ref(), Some(&told));
        world.open_again().await;
        assert_eq!(known(&world, &felix).await.as_ref(), Some(&told));
    }
    assert_eq!(world.store().user(&nobody).await.expect("read"), None);
}

/// What the store knows of somebody.
async fn known(world: &World, user: &UserId) -> Option<UserProfile> {
    world.store().user(user).await.expect("read").map(|person| person.profile)
}

pub(super) async fn tokens_that_were_taken_back_stay_so_whatever_is_told_later(mut world: World) {
    let (felix, fiona, nobody) = (user("felix"), user("fiona"), user("nobody"));
    let taken_back = async |world: &World, user: &UserId| {
        world.store().user(user).await.expect("read").expect("there").tokens_valid_after
    };
    assert_eq!(taken_back(&world, &felix).await, None);
    let (early, late) = (Time::from_micros(1_000_001), Time::from_micros(2_000_002));
    // A clock that was set back takes nothing back.
    for (said, kept) in [(early, early), (late, late), (early, late)] {
        let person = world.store().revoke_tokens(&felix, said).await.expect("kept").expect("there");
        assert_eq!(person.tokens_valid_after, Some(kept));
        assert_eq!(Some(person.profile), known(&world, &felix).await);
        assert_eq!(taken_back(&world, &felix).await, Some(kept));
    }
    world.tell_of("felix", UserStatus::Inactive).await;
    world.open_again().await;
    assert_eq!(taken_back(&world, &felix).await, Some(late));
    assert_eq!(taken_back(&world, &fiona).await, None, "nobody else's");
    assert_eq!(world.store().revoke_tokens(&nobody, late).await.expect("asked"), None);
}

pub(super) async fn a_job_never_changes_hands_and_is_otherwise_what_the_marketplace_told_last(world: World) {
    let (store, clara, job) = (world.store(), user("clara"), "garden".parse::<JobId>().expect("a job id"));
    let told = JobPosting {
        title: "A garden".into(),
        description: "With a pond.".into(),
        category: Some("outside".into()),
        url: Some("https://marketplace.example/garden".into()),
        ..posting("clara", JobStatus::Closed)
    };
    for told in [told.clone(), posting("clara", JobStatus::Filled), told] {
        store.put_job(&job, &told, world.now()).await.expect("kept");
        assert_eq!(store.job(&clara, &job).await.expect("read").expect("hers").posting, told);
        for other in ["dora", "felix", "nobody"] {
            not_kept(store.put_job(&job, &posting(other, JobStatus::Open), world.now()).await);
            assert_eq!(store.job(&clara, &job).await.expect("read").expect("hers").posting, told);
        }
    }
    let orphan = "orphan".parse::<JobId>().expect("a job id");
    not_kept(store.put_job(&orphan, &posting("nobody", JobStatus::Open), world.now()).await);
    assert_eq!(store.job(&clara, &orphan).await.expect("read"), None);
}

pub(super) async fn a_jobs_own_fee_schedule_comes_before_the_one_called_default(mut world: World) {
    let (usual, own) = (FeeSchedule::Flat { basis_points: 1_000 }, FeeSchedule::OnTop { basis_points: 300 });
    let garden: JobId = "garden".parse().expect("a job id");
    let id = |name: &str| name.parse::<FeeScheduleId>().expect("a schedule's id");
    let own_posting = JobPosting { fee_schedule: Some(id("gardens")), ..posting("clara", JobStatus::Open) };
    not_kept(world.store().put_job(&garden, &own_posting, world.now()).await);
    for (name, schedule) in [("gardens", &own), ("default", &usual)] {
        world.store().put_fee_schedule(&id(name), schedule).await.expect("kept");
    }
    for (posting, expected) in [
        (posting("clara", JobStatus::Open), &usual),
        (own_posting, &own),
        (posting("clara", JobStatus::Open), &usual),
    ] {
        world.store().put_job(&garden, &posting, world.now()).await.expect("kept");
        world.open_again().await;
        let key = CaseKey::JobAndFreelancer(garden.clone(), user("felix"));
        let fees = world.look_at(&key).await.fees_now.expect("fees");
        assert_eq!(fees.schedule, *expected);
        for name in ["clara", "felix"] {
            let seen = world.store().job(&user(name), &garden).await.expect("read").expect("an open job");
            assert_eq!(seen.posting.fee_schedule, None, "nobody's to read");
        }
    }
}

pub(super) async fn jobs_are_listed_newest_first_open_ones_and_the_readers_own(world: World) {
    for (job, client, status) in [
        ("one", "clara", JobStatus::Open),
        ("two", "dora", JobStatus::Open),
        ("three", "clara", JobStatus::Closed),
        ("four", "dora", JobStatus::Filled),
        ("five", "dora", JobStatus::Open),
    ] {
        world.job(job, client, status).await;
    }
    // Told once more, a job stays where it was.
    world.job("one", "clara", JobStatus::Open).await;
    let listed = async |name: &str, limit: u32| -> Vec<String> {
        let jobs = world.store().jobs(&user(name), limit).await.expect("read");
        jobs.iter().map(|view| view.id.to_string()).collect()
    };
    assert_eq!(listed("felix", 10).await, ["five", "two", "one", "garden"]);
    assert_eq!(listed("clara", 10).await, ["five", "three", "two", "one", "garden"]);
    assert_eq!(listed("dora", 10).await, ["five", "four", "two", "one", "garden"]);
    for limit in 0..5 {
        let whole = listed("clara", 10).await;
        assert_eq!(listed("clara", limit).await, whole[..usize::try_from(limit).expect("small")]);
    }
}

pub(super) async fn the_first_key_of_a_name_is_kept_for_ever(mut world: World) {
    assert_eq!(world.store().key("commands", [1; 32]).await.expect("kept"), [1; 32]);
    assert_eq!(world.store().key("commands", [2; 32]).await.expect("read"), [1; 32]);
    assert_eq!(world.store().key("another", [3; 32]).await.expect("kept"), [3; 32]);
    world.open_again().await;
    assert_eq!(world.store().key("commands", [4; 32]).await.expect("read"), [1; 32]);
    assert_eq!(world.store().key("another", [4; 32]).await.expect("read"), [3; 32]);
}

pub(super) async fn a_store_that_was_opened_is_ready(mut world: World) {
    for job in ["garden", "roof", "cellar"] {
        world.store().ready().await.expect("ready");
        world.room(job, "felix").await;
        world.store().ready().await.expect("ready, and nothing is left open");
        world.open_again().await;
    }
}
