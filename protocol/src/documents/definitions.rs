//! The schema of every type of the wire, by name. What a client says and what it is told are two contracts: a receiver takes more
//! than a sender writes.

use std::collections::{BTreeMap, BTreeSet};

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::{frames, routes};
use crate::candidacy::{CandidacyView, ClientMark, Phase};
use crate::client::{Hello, Leave, Ping, Refresh, RefreshAnswer, Typing};
use crate::command::Command;
use crate::contract::ContractView;
use crate::entry::{EntryData, EntryPage, Notice, NoticeKind};
use crate::error::ErrorBody;
use crate::event::{EventAudience, EventPage};
use crate::fee::{Billing, BillingView, FeeSchedule, FeeScheduleView, FeeView};
use crate::id::{
    CandidacyId, ClientId, ContractId, FeeScheduleId, InvitationId, JobId, OfferId, ProposalId, RoomRef,
    UserId, WebhookId,
};
use crate::invitation::{InvitationStatus, InvitationView};
use crate::job::{JobPosting, JobView};
use crate::ledger::{LedgerPage, ProfileView, ResponsivenessChanged};
use crate::limits;
use crate::marker::{Mark, MarkAnswer};
use crate::offer::OfferView;
use crate::proposal::ProposalView;
use crate::push::{PushKind, PushMute, PushSubscription, PushUnsubscribe, PushView};
use crate::report::ReportView;
use crate::room::{Changes, Cursor, Joined, RoomView};
use crate::search::SearchPage;
use crate::server::ServerFrame;
use crate::signature::Keys;
use crate::terms::TermsView;
use crate::transcript::Format;
use crate::user::{Account, UserProfile, UserView};
use crate::webhook::{
    Channel, ChannelState, DeliveryNumber, DeliveryOutcome, DeliveryView, WebhookDisabled, WebhookDraft,
    WebhookSecret, WebhookView,
};

/// Where the definitions stand inside a schema; each document moves the references to its own place.
const PLACE: &str = "#/$defs/";

/// Schemas by name.
pub(super) struct Definitions(BTreeMap<String, Value>);

impl Definitions {
    /// Those of every type, frame and body.
    pub(super) fn new() -> Self {
        let mut all = merged(inbound(), outbound());
        frames::add(&mut all);
        routes::add(&mut all);
        Self(all)
    }

    /// The schema of this name.
    ///
    /// # Panics
    /// When there is none.
    pub(super) fn get(&self, name: &str) -> &Value {
        self.0.get(name).unwrap_or_else(|| panic!("no type is called {name}"))
    }

    /// These schemas and all they refer to, by name.
    pub(super) fn reachable<'a>(
        &'a self,
        roots: impl IntoIterator<Item = &'a str>,
    ) -> BTreeMap<&'a str, &'a Value> {
        let mut found = BTreeMap::new();
        let mut waiting: Vec<&str> = roots.into_iter().collect();
        while let Some(name) = waiting.pop() {
            let (name, schema) =
                self.0.get_key_value(name).unwrap_or_else(|| panic!("no type is called {name}"));
            if found.insert(name.as_str(), schema).is_none() {
                waiting.extend(references(schema));
            }
        }
        found
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, schema)| (name.as_str(), schema))
    }
}

/// A reference to the definition of this name.
pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("{PLACE}{name}") })
}

/// The name that a schema refers to, if that is what it does.
pub(super) fn referred(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix(PLACE)
}

/// The same schema with its references below another place.
pub(super) fn moved(schema: &Value, place: &str) -> Value {
    mapped(schema, &|text| text.strip_prefix(PLACE).map(|name| format!("{place}{name}")))
}

/// What a client says: whatever the server's decoder takes.
fn inbound() -> BTreeMap<String, Value> {
    let mut generator = SchemaSettings::draft2020_12().for_deserialize().into_generator();
    define::<(Hello, Cursor, Leave, Ping, Refresh, Typing, Mark)>(&mut generator);
    define::<(UserProfile, JobPosting, ClientId, FeeSchedule, Billing)>(&mut generator);
    define::<(WebhookDraft, ChannelState, PushSubscription, PushUnsubscribe, PushMute)>(&mut generator);
    Command::payloads(&mut generator);
    taken(generator)
}

/// What a client is told: exactly what the server's encoder writes.
fn outbound() -> BTreeMap<String, Value> {
    let mut generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    define::<(ServerFrame, EntryData, Notice, NoticeKind, Account, ErrorBody)>(&mut generator);
    define::<(Joined, MarkAnswer, RefreshAnswer)>(&mut generator);
    define::<(UserView, JobView, RoomView, EntryPage, Changes, SearchPage)>(&mut generator);
    define::<(InvitationView, ProposalView, CandidacyView, InvitationStatus, Phase)>(&mut generator);
    define::<(UserId, JobId, CandidacyId, InvitationId, ProposalId, RoomRef)>(&mut generator);
    define::<(LedgerPage, ProfileView, ResponsivenessChanged)>(&mut generator);
    define::<(OfferId, ContractId, TermsView, OfferView, ContractView, Keys)>(&mut generator);
    define::<(FeeScheduleView, BillingView, FeeView, FeeScheduleId, ReportView, ClientMark, Format)>(
        &mut generator,
    );
    define::<(EventPage, EventAudience, WebhookId, WebhookView, WebhookSecret, WebhookDisabled)>(
        &mut generator,
    );
    define::<(PushView, PushKind)>(&mut generator);
    define::<(DeliveryView, DeliveryNumber, DeliveryOutcome, Channel, ChannelState)>(&mut generator);
    Command::answers(&mut generator);
    let mut schemas = taken(generator);
    for schema in schemas.values_mut() {
        without_null(schema);
    }
    schemas
}

/// Has the generator keep the schema of every type of a tuple.
fn define<T: JsonSchema>(generator: &mut SchemaGenerator) {
    generator.subschema_for::<T>();
}

fn taken(mut generator: SchemaGenerator) -> BTreeMap<String, Value> {
    let definitions = generator.take_definitions(true);
    let plainly = |schema: Value| in_plain_words(&choices_made(schema));
    definitions.into_iter().map(|(name, schema)| (name, plainly(schema))).collect()
}

/// Two contracts under one roof: where they differ, what a client says is called `…Input`.
fn merged(
    inbound: BTreeMap<String, Value>,
    mut outbound: BTreeMap<String, Value>,
) -> BTreeMap<String, Value> {
    let differs = |name: &str, schema: &Value| outbound.get(name).is_some_and(|told| told != schema);
    let mut different: BTreeSet<String> =
        inbound.iter().filter(|(name, schema)| differs(name, schema)).map(|(name, _)| name.clone()).collect();
    // What refers to something that differs, and is told too, differs as well.
    loop {
        let more: Vec<String> = inbound
            .iter()
            .filter(|(name, schema)| {
                outbound.contains_key(*name)
                    && !different.contains(*name)
                    && references(schema).iter().any(|of| different.contains(*of))
            })
            .map(|(name, _)| name.clone())
            .collect();
        if more.is_empty() {
            break;
        }
        different.extend(more);
    }
    let renamed = |name: &str| different.contains(name).then(|| format!("{name}Input"));
    for (name, schema) in inbound {
        let refer = |text: &str| Some(format!("{PLACE}{}", renamed(text.strip_prefix(PLACE)?)?));
        outbound.insert(renamed(&name).unwrap_or(name), mapped(&schema, &refer));
    }
    outbound
}

/// A choice between one thing is that thing, under the description of the choice: an enum that has one variant so far.
fn choices_made(schema: Value) -> Value {
    match schema {
        Value::Object(mut map) => {
            let choices = map.get("oneOf").and_then(Value::as_array).map(Vec::as_slice);
            if let Some([Value::Object(only)]) = choices {
                let only = only.clone();
                map.remove("oneOf");
                for (name, value) in only {
                    map.entry(name).or_insert(value);
                }
            }
            map.into_iter().map(|(name, value)| (name, choices_made(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(choices_made).collect(),
        leaf @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => leaf,
    }
}

/// A field that is left out when it is empty is never `null`, and what a decoder assumes of a missing one is nobody's business.
fn without_null(schema: &mut Value) {
    if let Some(fields) = schema.as_object_mut() {
        let required: Vec<Value> =
            fields.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
        let properties = fields.get_mut("properties").and_then(Value::as_object_mut);
        for (name, property) in properties.into_iter().flatten() {
            if let Some(property) = property.as_object_mut() {
                property.remove("default");
                if !required.iter().any(|required| required == name) {
                    no_null(property);
                }
            }
        }
    }
    match schema {
        Value::Object(map) => map.values_mut().for_each(without_null),
        Value::Array(items) => items.iter_mut().for_each(without_null),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn no_null(property: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = property.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            property.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(any)) = property.get_mut("anyOf") {
        any.retain(|schema| schema != &json!({ "type": "null" }));
        if let [Value::Object(only)] = any.as_slice() {
            let only = only.clone();
            property.remove("anyOf");
            property.extend(only);
        }
    }
}

/// Every name that a schema refers to.
fn references(schema: &Value) -> Vec<&str> {
    match schema {
        Value::Object(map) => referred(schema).into_iter().chain(map.values().flat_map(references)).collect(),
        Value::Array(items) => items.iter().flat_map(references).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

/// The value with some of its `$ref`s replaced.
fn mapped(value: &Value, replace: &impl Fn(&str) -> Option<String>) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(name, value)| {
                let new = value.as_str().filter(|_| name == "$ref").and_then(replace);
                (name.clone(), new.map_or_else(|| mapped(value, replace), Value::String))
            })
            .collect(),
        Value::Array(items) => items.iter().map(|item| mapped(item, replace)).collect(),
        leaf @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => leaf.clone(),
    }
}

/// Descriptions as a client's author reads them: the code's own links become words, and its limits numbers.
fn in_plain_words(schema: &Value) -> Value {
    match schema {
        Value::Object(map) => map
            .iter()
            .map(|(name, value)| {
                let words = value.as_str().filter(|_| name == "description");
                (name.clone(), words.map_or_else(|| in_plain_words(value), |words| plain(words).into()))
            })
            .collect(),
        Value::Array(items) => items.iter().map(in_plain_words).collect(),
        leaf @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => leaf.clone(),
    }
}

fn plain(words: &str) -> String {
    let limits = [
        ("[`limits::HELLO_ROOMS`]", limits::HELLO_ROOMS.to_string()),
        ("[`limits::PING_HEADS`]", limits::PING_HEADS.to_string()),
        ("[`limits::TYPING_MS`]", format!("{} ms", limits::TYPING_MS)),
        ("[`crate::limits::TYPING_MS`]", format!("{} ms", limits::TYPING_MS)),
        ("[`crate::limits::CHANGES`]", limits::CHANGES.to_string()),
    ];
    let words = limits.iter().fold(words.to_owned(), |words, (link, number)| words.replace(link, number));
    words.replace("[`", "`").replace("`]", "`").replace('\n', " ")
}
