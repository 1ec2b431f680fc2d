//! The examples in the published documents are true today: whatever one shows a client saying, the server's decoders and the rules on
//! texts and terms take, and whatever one shows as said in a room could be said there now.

use std::collections::BTreeSet;

use anteroom::domain::message::{Body as Words, Reason};
use anteroom::domain::refusal::Refusal;
use anteroom::domain::webhook::Target;
use anteroom::domain::{fee, job, terms, text, user};
use anteroom_protocol::client::{self, ClientFrame};
use anteroom_protocol::command::Command;
use anteroom_protocol::entry::EntryData;
use anteroom_protocol::invitation::DeclineReason;
use anteroom_protocol::limits;
use anteroom_protocol::marker::Mark;
use anteroom_protocol::push::{PushMute, PushSubscription, PushUnsubscribe};
use anteroom_protocol::route::{self, Body, RouteSpec};
use anteroom_protocol::terms::Terms;
use anteroom_protocol::webhook::ChannelState;
use serde_json::{Map, Value, json};

const OPENAPI: &str = include_str!("../../protocol/openapi.json");
const ASYNCAPI: &str = include_str!("../../protocol/asyncapi.json");

fn document(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn every_example_of_a_frame_of_a_client_is_taken_today() {
    let document = document(ASYNCAPI);
    let messages = document["components"]["messages"].as_object().expect("messages");
    let mut seen = BTreeSet::new();
    for (name, message) in messages {
        let Some(kind) = name.strip_prefix("client.") else { continue };
        for example in message["examples"].as_array().expect("examples") {
            let text = example["payload"].to_string();
            assert!(text.len() <= limits::FRAME_BYTES, "{}", example["name"]);
            let (_, frame) =
                client::decode(&text).unwrap_or_else(|error| panic!("{}: {error:?}", example["name"]));
            assert_eq!(frame.name(), kind);
            if let ClientFrame::Command(_, command) = frame {
                assert_eq!(taken(command), Ok(()), "{}", example["name"]);
            }
            seen.insert(kind);
        }
    }
    let all = client::CONTROL_TYPES.into_iter().chain(Command::ALL.iter().map(|spec| spec.name));
    assert_eq!(seen, all.collect(), "each kind of frame has an example");
}

#[test]
fn every_example_of_a_body_of_a_request_is_taken_today() {
    let document = document(OPENAPI);
    for route in route::all() {
        let method = route.method.as_str().to_lowercase();
        let body = &document["paths"][route.path][method]["requestBody"]["content"]["application/json"];
        let examples = body["examples"].as_object();
        assert_eq!(examples.is_some(), route.body != Body::Empty, "{}", route.name);
        for (name, example) in examples.into_iter().flatten() {
            assert_body_is_taken(&route, name, &example["value"]);
        }
    }
}

fn assert_body_is_taken(route: &RouteSpec, name: &str, body: &Value) {
    let mut fields = body.as_object().expect("an object").clone();
    for field in route.path_fields() {
        fields.insert(field.to_owned(), json!("0195b2a0-0000-7000-8000-000000000001"));
    }
    match route.body {
        Body::Empty => panic!("{name}: nobody reads it"),
        Body::Frame("read" | "mark_unread") => drop(decoded::<Mark>(name, fields)),
        Body::Frame(kind) => {
            let command = Command::from_fields(kind, fields).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(taken(command), Ok(()), "{name}");
        }
        Body::Type("UserProfile") => drop(user::check(decoded(name, fields)).expect(name)),
        Body::Type("JobPosting") => drop(job::check(decoded(name, fields)).expect(name)),
        Body::Type("FeeSchedule") => drop(fee::check(decoded(name, fields)).expect(name)),
        Body::Type("Billing") => drop(fee::check_billing(decoded(name, fields)).expect(name)),
        Body::Type("WebhookDraft") => drop(Target::check(decoded(name, fields)).expect(name)),
        Body::Type("ChannelState") => drop(decoded::<ChannelState>(name, fields)),
        Body::Type("PushSubscription") => drop(decoded::<PushSubscription>(name, fields)),
        Body::Type("PushUnsubscribe") => drop(decoded::<PushUnsubscribe>(name, fields)),
        Body::Type("PushMute") => drop(decoded::<PushMute>(name, fields)),
        Body::Type(new) => panic!("{new}: which rules does it keep?"),
    }
}

fn decoded<T: serde::de::DeserializeOwned>(name: &str, fields: Map<String, Value>) -> T {
    serde_json::from_value(Value::Object(fields)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The rules on what a command says, apart from those that depend on what there is. A new command does not compile here until it has said
/// which they are.
fn taken(command: Command) -> Result<(), Refusal> {
    let words = |field, words| Words::parse(field, words).map(drop);
    let reason = |reason: Option<String>| {
        reason.map_or(Ok(()), |text| text::prose("reason", &text, limits::REASON_BYTES))
    };
    let both = |message, terms: Option<Terms>| {
        words("message", message).and(terms.map_or(Ok(()), |t| terms::check(&t, None)))
    };
    match command {
        Command::MessagePost(said) => words("body", said.body),
        Command::MessageEdit(said) => words("body", said.body),
        Command::MessageRedact(said) => Reason::parse(said.reason).map(drop),
        Command::InvitationSend(said) => both(said.message, said.terms),
        Command::InvitationAccept(said) => both(said.message, said.terms),
        Command::InvitationDecline(said) => {
            assert_eq!(said.reason_text.is_some(), said.reason == DeclineReason::Other);
            said.reason_text.map_or(Ok(()), |text| text::prose("reason_text", &text, limits::REASON_BYTES))
        }
        Command::ProposalSubmit(said) => {
            words("cover_letter", said.cover_letter).and(terms::check(&said.terms, None))
        }
        Command::ProposalAnswer(said) => {
            let message = said.message.map_or(Ok(()), |message| words("message", message));
            message.and(said.terms.map_or(Ok(()), |t| terms::check(&t, None)))
        }
        Command::TermsPropose(said) => terms::check(&said.terms, None),
        Command::OfferRequestChange(said) => both(said.message, said.terms),
        Command::InvitationReport(said) => reason(said.text),
        Command::MessageReport(said) => reason(said.text),
        Command::OfferWithdraw(said) => reason(said.reason),
        Command::OfferDecline(said) => reason(said.reason),
        Command::ContractEnd(said) => reason(said.reason),
        Command::ContractForm(said) => {
            assert_eq!(said.version.is_some(), said.hash.is_some());
            assert_ne!(said.version.is_some(), said.terms.is_some());
            said.terms.map_or(Ok(()), |t| terms::check(&t, None))
        }
        Command::InvitationArchive(_)
        | Command::InvitationWithdraw(_)
        | Command::InvitationRetract(_)
        | Command::ProposalDecline(_)
        | Command::ProposalWithdraw(_)
        | Command::CandidacyDecline(_)
        | Command::CandidacyWithdraw(_)
        | Command::CandidacyReopen(_)
        | Command::CandidaciesDecline(_)
        | Command::CandidaciesMark(_)
        | Command::ProposalArchive(_)
        | Command::InvitationRemove(_)
        | Command::MemberAdd(_)
        | Command::MemberRemove(_)
        | Command::TermsAccept(_)
        | Command::TermsDecline(_)
        | Command::TermsWithdraw(_)
        | Command::TermsAcknowledge(_)
        | Command::OfferMake(_)
        | Command::OfferChange(_)
        | Command::OfferAccept(_) => Ok(()),
    }
}

#[test]
fn every_entry_in_an_example_could_be_written_today() {
    let mut entries = Vec::new();
    for text in [OPENAPI, ASYNCAPI] {
        find_entries(&document(text), &mut entries);
    }
    let mut kinds = BTreeSet::new();
    for entry in entries {
        let tagged = json!({ "kind": entry["kind"], "data": entry["data"] });
        let data: EntryData =
            serde_json::from_value(tagged).unwrap_or_else(|error| panic!("{entry}: {error}"));
        assert_eq!(could_be_written(data), Ok(()), "{entry}");
        kinds.insert(entry["kind"].to_string());
    }
    assert!(kinds.len() > 4, "they were found: {kinds:?}");
}

/// Every entry of a room that has its data, wherever it stands.
fn find_entries(value: &Value, found: &mut Vec<Value>) {
    match value {
        Value::Object(map) => {
            let is_entry =
                ["room", "seq", "kind", "data", "hash"].iter().all(|field| map.contains_key(*field));
            if is_entry && map["kind"].is_string() && map["room"] != "inbox" && !map["data"].is_null() {
                found.push(value.clone());
            }
            map.values().for_each(|inner| find_entries(inner, found));
        }
        Value::Array(items) => items.iter().for_each(|inner| find_entries(inner, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The rules that held for whoever caused this entry.
fn could_be_written(data: EntryData) -> Result<(), Refusal> {
    let words = |field, words| Words::parse(field, words).map(drop);
    match data {
        EntryData::MessagePosted(data) => words("body", data.body),
        EntryData::MessageEdited(data) => words("body", data.body),
        EntryData::MessageRedacted(data) => Reason::parse(data.reason).map(drop),
        EntryData::InvitationSent(data) => words("message", data.message),
        EntryData::ProposalSubmitted(data) => words("cover_letter", data.cover_letter),
        EntryData::TermsProposed(data) => {
            assert_eq!(data.hash, data.terms.hash(), "the hash of these terms");
            terms::check(&data.terms, None)
        }
        EntryData::OfferChangeRequested(data) => words("message", data.message),
        EntryData::ContractSealed(data) => {
            assert_eq!(data.seal.key.to_string().len(), 64);
            Ok(())
        }
        EntryData::InvitationAccepted(_)
        | EntryData::PhaseChanged(_)
        | EntryData::MemberAdded(_)
        | EntryData::MemberRemoved(_)
        | EntryData::TermsAccepted(_)
        | EntryData::TermsDeclined(_)
        | EntryData::TermsWithdrawn(_)
        | EntryData::TermsExpired(_)
        | EntryData::TermsAcknowledged(_)
        | EntryData::OfferMade(_)
        | EntryData::OfferChanged(_)
        | EntryData::OfferWithdrawn(_)
        | EntryData::OfferDeclined(_)
        | EntryData::OfferExpired(_)
        | EntryData::OfferAccepted(_)
        | EntryData::ContractFormed(_)
        | EntryData::ContractEnded(_) => Ok(()),
    }
}
