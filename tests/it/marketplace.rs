//! What the marketplace's own systems may do: tell of people and jobs, and invite on a client's behalf.

use anteroom_load_tests::client::{Case, Http, new_client_id};
use anteroom_load_tests::marketplace::posting;
use anteroom_protocol::command::Command;
use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::id::{RoomRef, UserId};
use anteroom_protocol::job::JobStatus;
use anteroom_protocol::route::{self, Who};
use anteroom_protocol::user::UserProfile;
use serde_json::{Value, json};

use crate::support::{Door, Scene, ask, id};

async fn refused(http: &Http, name: &str, fields: Value) -> Option<ErrorCode> {
    let answer = http.command_by_name::<Value>(name, new_client_id(), fields).await;
    answer.expect_err("refused").code()
}

#[tokio::test]
async fn the_marketplace_invites_on_the_clients_behalf() {
    let mut scene = Scene::new(Door::Http).await;
    let command = ask::invite(&scene.job, &scene.freelancer.user, Some(ask::hourly(6_500)));
    let service = scene.server.marketplace.service().clone();
    let case: Case = service.command(new_client_id(), &command).await.expect("invited");
    for person in [&mut scene.client, &mut scene.freelancer] {
        let entry = person.hears(RoomRef::Inbox).await;
        assert_eq!((entry.kind.as_str(), entry.by), ("invitation.sent", Some(id("clara"))));
    }
    let accepted = scene.freelancer.case(ask::accept(case.invitation.expect("an invitation"), None)).await;
    let room = scene.room(accepted.room.expect("a room")).await;
    assert_eq!(room[0].by, Some(id("clara")));
}

#[tokio::test]
async fn a_service_and_a_person_of_the_same_name_do_not_share_client_ids() {
    let scene = Scene::new(Door::Http).await;
    let other = scene.another_job("job-2").await;
    let namesake: UserId = id("marketplace");
    scene.server.marketplace.put_user(&namesake, "A person").await.expect("told");
    let theirs = id("their-job");
    scene.server.marketplace.put_job(&theirs, &namesake, "Their job").await.expect("told");
    let key = new_client_id();
    let service = scene.server.marketplace.service();
    let person = scene.server.marketplace.as_user(&namesake);
    let invite = |job| ask::invite(job, &scene.freelancer.user, None);
    let one: Case = service.command(key, &invite(&other)).await.expect("invited");
    let two: Case = person.command(key, &invite(&theirs)).await.expect("invited");
    assert!(!one.duplicate && !two.duplicate);
    let again: Case = service.command(key, &invite(&other)).await.expect("known");
    assert_eq!(again, Case { duplicate: true, ..one });
}

#[tokio::test]
async fn a_service_does_nothing_else_that_people_do() {
    let mut scene = Scene::new(Door::Http).await;
    let (case, room) = scene.talking().await;
    scene.job = scene.another_job("job-2").await;
    let (_, invitation) = scene.invited(None).await;
    let http = scene.server.marketplace.service().clone();
    let fields = json!({
        "room": room, "body": "hello", "invitation": invitation, "message": "hello", "reason": "too_busy",
        "proposal": case.proposal, "candidacy": case.candidacy, "job": "job-2", "cover_letter": "hello",
        "terms": ask::hourly(1), "freelancer": "felix", "seq": 1, "expected_version": 0, "version": 1,
        "hash": ask::hourly(1).hash(), "contract": "C-1", "candidacies": [case.candidacy],
    });
    let offer = json!(room);
    let of_the_table = |name: &str| route::all().find(|route| route.name == name).expect("its route").who;
    let theirs = |name: &str| name == "message.redact" || of_the_table(name) != Who::User;
    for spec in Command::ALL.iter().filter(|spec| !theirs(spec.name)) {
        let mut fields = fields.clone();
        if spec.name.ends_with(".report") {
            fields["reason"] = json!("spam");
        }
        if spec.name.starts_with("offer.") {
            fields["offer"] = offer.clone();
        }
        assert_eq!(refused(&http, spec.name, fields).await, Some(ErrorCode::Forbidden), "{}", spec.name);
    }
    for path in
        ["/v1/me", "/v1/rooms", "/v1/jobs", "/v1/invitations", "/v1/candidacies", "/v1/rooms/inbox/entries"]
    {
        let error = http.get::<Value>(path).await.expect_err("refused");
        assert_eq!(error.code(), Some(ErrorCode::Forbidden), "{path}");
    }
}

#[tokio::test]
async fn staff_write_nothing() {
    let scene = Scene::new(Door::Http).await;
    let staff = Http::new(&scene.server.base, scene.server.mint.staff("olaf"));
    let fields = json!({"job": "job", "freelancer": "felix", "message": "hello"});
    assert_eq!(refused(&staff, "invitation.send", fields).await, Some(ErrorCode::Forbidden));
}

#[tokio::test]
async fn a_person_tells_the_server_nothing_of_people_and_jobs() {
    let scene = Scene::new(Door::Http).await;
    let http = &scene.client.http;
    let error =
        http.put::<Value>("/v1/users/clara", &UserProfile::active("Queen Clara")).await.expect_err("refused");
    assert_eq!(error.code(), Some(ErrorCode::Forbidden));
    let mine = posting(&scene.client.user, "Mine");
    let error = http.put::<Value>("/v1/jobs/job", &mine).await.expect_err("refused");
    assert_eq!(error.code(), Some(ErrorCode::Forbidden));
}

#[tokio::test]
async fn a_job_is_replaced_and_never_changes_hands() {
    let scene = Scene::new(Door::Http).await;
    let marketplace = &scene.server.marketplace;
    let mut other = posting(&scene.freelancer.user, "Taken over");
    let error = marketplace.put_posting(&scene.job, &other).await.expect_err("refused");
    assert_eq!(error.code(), Some(ErrorCode::BadRequest));
    other.client = scene.client.user.clone();
    other.status = JobStatus::Closed;
    marketplace.put_posting(&scene.job, &other).await.expect("told");
    let seen: Value = scene.client.see("/v1/jobs/job").await;
    assert_eq!((&seen["title"], &seen["status"]), (&json!("Taken over"), &json!("closed")));
    let error = scene.freelancer.http.get::<Value>("/v1/jobs/job").await.expect_err("not shown");
    assert_eq!(error.code(), Some(ErrorCode::NotFound));
    let nobody = posting(&id("nobody"), "Nobody's");
    let error = marketplace.put_posting(&id("new"), &nobody).await.expect_err("refused");
    assert_eq!(error.code(), Some(ErrorCode::BadRequest));
}

#[tokio::test]
async fn what_the_marketplace_tells_is_checked() {
    let scene = Scene::new(Door::Http).await;
    let service = scene.server.marketplace.service();
    for body in [
        json!({"name": ""}),
        json!({"name": "x".repeat(101)}),
        json!({"name": "a\nb"}),
        json!({"name": "Ana", "avatar_url": "javascript:alert(1)"}),
        json!({"name": "Ana", "status": "asleep"}),
        json!({}),
        json!([]),
    ] {
        let error = service.put::<Value>("/v1/users/ana", &body).await.expect_err("refused");
        assert!(matches!(error.code(), Some(ErrorCode::BadRequest | ErrorCode::TooLarge)), "{body}: {error}");
    }
    for name in ["a%20b", "a%2Fb", &"x".repeat(65)] {
        let told = service.put::<Value>(&format!("/v1/users/{name}"), &json!({"name": "Ana"})).await;
        assert_eq!(told.expect_err("refused").code(), Some(ErrorCode::NotFound), "{name}");
    }
}
