//! The examples in `golden/` and the prose in `README.md` say the same as the code.

mod common;

use std::fs;

use anteroom_protocol::candidacy::CandidacyView;
use anteroom_protocol::client::{self, CONTROL_TYPES, ClientFrame};
use anteroom_protocol::command::Command;
use anteroom_protocol::contract::ContractView;
use anteroom_protocol::entry::{EntryData, EntryPage, Notice, NoticeKind};
use anteroom_protocol::error::ErrorBody;
use anteroom_protocol::event::EventPage;
use anteroom_protocol::fee::{Billing, BillingView, FeeSchedule, FeeScheduleView};
use anteroom_protocol::invitation::InvitationView;
use anteroom_protocol::job::{JobPosting, JobView};
use anteroom_protocol::ledger::{LedgerPage, ProfileView, ResponsivenessChanged};
use anteroom_protocol::offer::OfferView;
use anteroom_protocol::proposal::ProposalView;
use anteroom_protocol::push::{PushMute, PushSubscription, PushUnsubscribe, PushView};
use anteroom_protocol::report::ReportView;
use anteroom_protocol::room::{Changes, RoomView};
use anteroom_protocol::search::SearchPage;
use anteroom_protocol::server::{self, ServerFrame};
use anteroom_protocol::signature::Keys;
use anteroom_protocol::terms::TermsView;
use anteroom_protocol::user::{UserProfile, UserView};
use anteroom_protocol::webhook::{
    ChannelState, DeliveryView, WebhookDisabled, WebhookDraft, WebhookSecret, WebhookView,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use common::{Golden, golden, path};

/// Every word that the tag of this enum can be, as its own decoder tells them.
fn words<T: DeserializeOwned>(unknown: Value) -> Vec<String> {
    let error = serde_json::from_value::<T>(unknown).err().expect("there is no such word").to_string();
    let (_, list) = error.split_once("expected one of ").expect("a list of words");
    list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn entry_kinds() -> Vec<String> {
    words::<EntryData>(json!({ "kind": "?", "data": {} }))
}

fn notice_kinds() -> Vec<String> {
    words::<NoticeKind>(json!("?"))
}

fn client_types() -> impl Iterator<Item = &'static str> {
    CONTROL_TYPES.into_iter().chain(Command::ALL.iter().map(|spec| spec.name))
}

fn assert_all_there(folder: &str, files: &[Golden], names: impl Iterator<Item = impl AsRef<str>>) {
    for name in names {
        let name = name.as_ref();
        assert!(files.iter().any(|file| file.stem == name), "write protocol/golden/{folder}/{name}.json");
    }
}

/// An example is named after its type, or after its type and what is special about it.
fn assert_well_named(file: &Golden, tag: &str) {
    let tag = file.field(tag).expect("a tag");
    let rest = file.stem.strip_prefix(tag).unwrap_or_else(|| panic!("{} is of type {tag}", file.stem));
    assert!(rest.is_empty() || rest.starts_with('.'), "{} is of type {tag}", file.stem);
}

/// The value with a field that this version does not know in each of its objects.
fn with_new_fields(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let known = map.iter().map(|(name, value)| (name.clone(), with_new_fields(value)));
            known.chain([("a_field_of_next_year".to_owned(), json!([{ "deep": null }]))]).collect()
        }
        Value::Array(items) => items.iter().map(with_new_fields).collect(),
        leaf @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => leaf.clone(),
    }
}

#[test]
fn every_client_frame_has_an_example_that_decodes_and_encodes_to_itself() {
    let files = golden("client");
    assert_all_there("client", &files, client_types());
    for file in &files {
        assert_well_named(file, "type");
        let (id, frame) =
            client::decode(&file.text).unwrap_or_else(|error| panic!("{}: {error:?}", file.stem));
        assert_eq!(id.as_deref(), file.field("id"), "{}", file.stem);
        assert_eq!(Some(frame.name()), file.field("type"), "{}", file.stem);
        let again: Value = serde_json::from_str(&frame.encode(id.as_deref())).expect("JSON");
        assert_eq!(again, file.value, "{}", file.stem);
    }
}

#[test]
fn every_example_of_a_command_carries_an_id_and_its_client_id() {
    for file in golden("client") {
        let (id, frame) = client::decode(&file.text).expect("a frame");
        match frame {
            ClientFrame::Command(envelope, command) => {
                assert!(id.is_some(), "{}", file.stem);
                assert_eq!(
                    Some(envelope.client_id.to_string().as_str()),
                    file.field("client_id"),
                    "{}",
                    file.stem
                );
                let tagged = serde_json::to_value(&command).expect("a value");
                assert_eq!(serde_json::from_value::<Command>(tagged).expect("a command"), command);
            }
            ClientFrame::Hello(_)
            | ClientFrame::Join(_)
            | ClientFrame::Leave(_)
            | ClientFrame::Ping(_)
            | ClientFrame::Refresh(_)
            | ClientFrame::Read(_)
            | ClientFrame::MarkUnread(_)
            | ClientFrame::Typing(_) => assert_eq!(file.field("client_id"), None, "{}", file.stem),
        }
    }
}

#[test]
fn a_command_is_the_same_through_the_socket_and_over_http() {
    for file in golden("client") {
        if let (_, ClientFrame::Command(_, command)) = client::decode(&file.text).expect("a frame") {
            let mut fields = file.value.as_object().expect("an object").clone();
            for of_the_socket in ["type", "id", "client_id", "confirmed"] {
                fields.remove(of_the_socket);
            }
            let over_http = Command::from_fields(command.name(), fields).expect("a command");
            assert_eq!(over_http.fingerprint(), command.fingerprint(), "{}", file.stem);
        }
    }
}

#[test]
fn every_field_that_a_route_carries_is_a_field_of_its_command() {
    for spec in Command::ALL {
        let files = golden("client");
        let file = files.iter().find(|file| file.stem == spec.name).expect("an example");
        if let Some(field) = spec.path_field() {
            assert!(file.field(field).is_some(), "{} has no field {field}", spec.name);
        }
    }
}

#[test]
fn every_server_frame_has_an_example_that_decodes_and_encodes_to_itself() {
    let files = golden("server");
    assert_all_there("server", &files, server::TYPES.into_iter());
    for file in &files {
        assert_well_named(file, "type");
        let frame = server::decode(&file.text).unwrap_or_else(|error| panic!("{}: {error}", file.stem));
        assert_eq!(Some(name(&frame)), file.field("type"), "{}", file.stem);
        let again: Value = serde_json::from_str(&frame.encode()).expect("JSON");
        assert_eq!(again, file.value, "{}", file.stem);
    }
}

/// A new frame does not compile here until it has a name, and then lacks its example.
fn name(frame: &ServerFrame) -> &'static str {
    let at = match frame {
        ServerFrame::Welcome(_) => 0,
        ServerFrame::Ok { .. } => 1,
        ServerFrame::Error { .. } => 2,
        ServerFrame::Entry(_) => 3,
        ServerFrame::Gap { .. } => 4,
        ServerFrame::Reset { .. } => 5,
        ServerFrame::Activity { .. } => 6,
        ServerFrame::Pong { .. } => 7,
        ServerFrame::Account(_) => 8,
        ServerFrame::Receipt(_) => 9,
        ServerFrame::Typing { .. } => 10,
        ServerFrame::Presence { .. } => 11,
        ServerFrame::Goaway { .. } => 12,
    };
    server::TYPES[at]
}

#[test]
fn every_error_in_an_example_says_of_a_retry_what_the_table_says() {
    let files = golden("server");
    let mut bodies: Vec<Value> = files.iter().filter_map(|file| file.value.get("error")).cloned().collect();
    let rooms = files.iter().filter_map(|file| file.value.get("rooms")?.as_array()).flatten();
    bodies.extend(rooms.filter_map(|room| room.get("error")).cloned());
    assert!(bodies.len() > 5, "{bodies:?}");
    for body in bodies {
        let body: ErrorBody = serde_json::from_value(body).expect("an error");
        assert_eq!(body.retryable, body.code.retryable(), "{body:?}");
    }
}

#[test]
fn every_kind_of_entry_has_an_example_that_decodes_and_encodes_to_itself() {
    let files = golden("entry");
    assert_all_there("entry", &files, entry_kinds().iter());
    for file in files.iter().filter(|file| file.stem != "notice") {
        assert_well_named(file, "kind");
        let data: EntryData = serde_json::from_str(&file.text).expect("an entry's data");
        assert_eq!(serde_json::to_value(&data).expect("a value"), file.value, "{}", file.stem);
        let newer: EntryData = serde_json::from_value(with_new_fields(&file.value)).expect("data");
        assert_eq!(newer, data, "{}", file.stem);
    }
}

#[test]
fn an_inbox_notice_decodes_and_encodes_to_itself() {
    let files = golden("entry");
    assert_all_there("entry", &files, ["notice"].iter());
    let file = files.iter().find(|file| file.stem == "notice").expect("the example");
    let kind: NoticeKind = serde_json::from_value(file.value["kind"].clone()).expect("a kind");
    let data: Notice = serde_json::from_value(file.value["data"].clone()).expect("a notice");
    assert_eq!(json!({ "kind": kind, "data": data }), file.value);
}

#[test]
fn entries_in_frames_and_logs_have_the_data_of_their_kind() {
    let frames = golden("server").into_iter().filter(|file| file.field("type") == Some("entry"));
    let log: Value = serde_json::from_str(&golden("log")[0].text).expect("JSON");
    let logged = log["items"].as_array().expect("entries").clone();
    for entry in frames.map(|file| file.value).chain(logged) {
        if entry["kind"] == "responsiveness.changed" {
            let told: ResponsivenessChanged =
                serde_json::from_value(entry["data"].clone()).expect("a figure");
            assert_eq!(serde_json::to_value(told).expect("a value"), entry["data"]);
        } else if entry["kind"] == "webhook.disabled" {
            let told: WebhookDisabled = serde_json::from_value(entry["data"].clone()).expect("a webhook");
            assert_eq!(serde_json::to_value(told).expect("a value"), entry["data"]);
        } else if entry["room"] == "inbox" {
            let _: NoticeKind = serde_json::from_value(entry["kind"].clone()).expect("a kind");
            let _: Notice = serde_json::from_value(entry["data"].clone()).expect("a notice");
        } else {
            let tagged = json!({ "kind": entry["kind"], "data": entry["data"] });
            let data = serde_json::from_value::<EntryData>(tagged);
            let deleted = entry["data"].is_null() && entry["amended_by"].is_u64();
            assert!(deleted || data.is_ok(), "{entry}");
        }
    }
}

#[test]
fn the_example_of_a_log_is_a_page_that_encodes_to_itself() {
    for file in golden("log") {
        let page: EntryPage = serde_json::from_str(&file.text).expect("a page");
        assert_eq!(serde_json::to_value(&page).expect("a value"), file.value, "{}", file.stem);
    }
}

fn encodes_to_itself<T: DeserializeOwned + Serialize>(file: &Golden) {
    let value: T = serde_json::from_str(&file.text).unwrap_or_else(|error| panic!("{}: {error}", file.stem));
    assert_eq!(serde_json::to_value(&value).expect("a value"), file.value, "{}", file.stem);
}

#[test]
fn every_example_of_http_decodes_and_encodes_to_itself() {
    for file in golden("http") {
        match file.stem.split('.').next().expect("a type") {
            "CandidacyView" => encodes_to_itself::<CandidacyView>(&file),
            "Changes" => encodes_to_itself::<Changes>(&file),
            "EntryPage" => encodes_to_itself::<EntryPage>(&file),
            "InvitationView" => encodes_to_itself::<InvitationView>(&file),
            "JobPosting" => encodes_to_itself::<JobPosting>(&file),
            "JobView" => encodes_to_itself::<JobView>(&file),
            "ProposalView" => encodes_to_itself::<ProposalView>(&file),
            "RoomView" => encodes_to_itself::<RoomView>(&file),
            "LedgerPage" => encodes_to_itself::<LedgerPage>(&file),
            "ProfileView" => encodes_to_itself::<ProfileView>(&file),
            "SearchPage" => encodes_to_itself::<SearchPage>(&file),
            "UserProfile" => encodes_to_itself::<UserProfile>(&file),
            "UserView" => encodes_to_itself::<UserView>(&file),
            "Billing" => encodes_to_itself::<Billing>(&file),
            "BillingView" => encodes_to_itself::<BillingView>(&file),
            "ContractView" => encodes_to_itself::<ContractView>(&file),
            "FeeSchedule" => encodes_to_itself::<FeeSchedule>(&file),
            "FeeScheduleView" => encodes_to_itself::<FeeScheduleView>(&file),
            "Keys" => encodes_to_itself::<Keys>(&file),
            "OfferView" => encodes_to_itself::<OfferView>(&file),
            "TermsView" => encodes_to_itself::<TermsView>(&file),
            "WebhookDraft" => encodes_to_itself::<WebhookDraft>(&file),
            "WebhookView" => encodes_to_itself::<WebhookView>(&file),
            "WebhookSecret" => encodes_to_itself::<WebhookSecret>(&file),
            "DeliveryView" => encodes_to_itself::<DeliveryView>(&file),
            "ChannelState" => encodes_to_itself::<ChannelState>(&file),
            "EventPage" => encodes_to_itself::<EventPage>(&file),
            "PushSubscription" => encodes_to_itself::<PushSubscription>(&file),
            "PushUnsubscribe" => encodes_to_itself::<PushUnsubscribe>(&file),
            "PushMute" => encodes_to_itself::<PushMute>(&file),
            "PushView" => encodes_to_itself::<PushView>(&file),
            "ReportView" => encodes_to_itself::<ReportView>(&file),
            "Problem" => assert_is_problem(&file),
            new => panic!("{new} is of which type?"),
        }
    }
}

/// A problem document is an error with other words around it.
fn assert_is_problem(file: &Golden) {
    let mut error = file.value.clone();
    error["message"] = file.value["detail"].clone();
    let error: ErrorBody = serde_json::from_value(error).expect("an error");
    assert_eq!(file.value["status"], error.code.http_status(), "{}", file.stem);
    assert_eq!(error.retryable, error.code.retryable(), "{}", file.stem);
}

#[test]
fn fields_of_a_later_version_are_ignored_at_every_depth() {
    for file in golden("client") {
        let mut newer = with_new_fields(&file.value);
        // The names in this one are rooms.
        if let Some(heads) = file.value.get("heads") {
            newer["heads"] = heads.clone();
        }
        assert_eq!(client::decode(&newer.to_string()), client::decode(&file.text), "{}", file.stem);
    }
    for file in golden("server") {
        let mut newer = with_new_fields(&file.value);
        for whole in ["data", "private"] {
            if let Some(part) = file.value.get(whole) {
                newer[whole] = part.clone();
            }
        }
        let newer =
            server::decode(&newer.to_string()).unwrap_or_else(|error| panic!("{}: {error}", file.stem));
        assert_eq!(newer, server::decode(&file.text).expect("a frame"), "{}", file.stem);
    }
}

/// The first cell of every row of every table of the prose, and the whole row.
fn rows(readme: &str) -> Vec<(&str, &str)> {
    readme.lines().filter_map(|row| Some((row.strip_prefix("| ")?.split(" | ").next()?, row))).collect()
}

#[test]
fn the_prose_names_every_frame_every_command_with_its_route_and_every_kind() {
    let readme = fs::read_to_string(path("README.md")).expect("the prose");
    let rows = rows(&readme);
    let row = |name: &str| rows.iter().find(|(cell, _)| cell.contains(&format!("`{name}`")));
    for spec in Command::ALL {
        let (_, row) = row(spec.name).unwrap_or_else(|| panic!("README.md has no row for `{}`", spec.name));
        let route = format!("`POST {}`", spec.path);
        assert!(row.contains(&route), "the row of `{}` in README.md lacks {route}", spec.name);
    }
    let kinds = entry_kinds().into_iter().chain(notice_kinds());
    for name in CONTROL_TYPES.into_iter().chain(server::TYPES).map(str::to_owned).chain(kinds) {
        assert!(row(&name).is_some(), "README.md has no row for `{name}`");
    }
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|part| part == word)
}

#[test]
fn the_prose_names_every_field_of_every_example() {
    let readme = fs::read_to_string(path("README.md")).expect("the prose");
    let rows = rows(&readme);
    for (folder, tag) in [("client", "type"), ("server", "type"), ("entry", "kind")] {
        for file in golden(folder) {
            let name = file.field(tag).expect("a tag");
            let described = |field: &str| {
                ["type", "id", "client_id", "confirmed"].contains(&field)
                    || rows
                        .iter()
                        .any(|(cell, row)| cell.contains(&format!("`{name}`")) && has_word(row, field))
            };
            let inner =
                if folder == "entry" && file.stem != "notice" { &file.value["data"] } else { &file.value };
            for field in inner.as_object().expect("an object").keys() {
                let of_the_envelope = folder == "entry" && ["kind", "data"].contains(&field.as_str());
                assert!(of_the_envelope || described(field), "README.md: `{name}` lacks the field `{field}`");
            }
        }
    }
}

#[test]
fn the_prose_names_every_field_of_an_inbox_notice() {
    let readme = fs::read_to_string(path("README.md")).expect("the prose");
    let (_, notice) = readme.split_once("An inbox \"notice\" is `").expect("the sentence on notices");
    let (notice, _) = notice.split_once('`').expect("its end");
    let notices = golden("entry").into_iter().filter(|file| file.stem == "notice");
    for field in notices.flat_map(|file| file.value["data"].as_object().expect("an object").clone()) {
        assert!(has_word(notice, &field.0), "README.md: a notice lacks the field `{}`", field.0);
    }
}
