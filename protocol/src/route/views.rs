//! The routes that are neither a command's nor a marker's: pages and views for people, and what the marketplace's systems tell and ask.

use super::{Answer, Body, Method, QueryKind, QuerySpec, RouteSpec, Who};
use crate::error::ErrorCode;
use crate::limits;
use crate::transcript::Format;

const fn get(path: &'static str, name: &'static str, summary: &'static str, answer: Answer) -> RouteSpec {
    RouteSpec {
        method: Method::Get,
        path,
        name,
        summary,
        who: Who::User,
        query: &[],
        body: Body::Empty,
        answer,
        idempotency_key: false,
        refusals: &[],
    }
}

const fn of_the_service(route: RouteSpec) -> RouteSpec {
    RouteSpec { who: Who::Service, ..route }
}

const fn put(
    path: &'static str,
    name: &'static str,
    summary: &'static str,
    (body, answer): (&'static str, &'static str),
) -> RouteSpec {
    let told = RouteSpec {
        method: Method::Put,
        body: Body::Type(body),
        ..get(path, name, summary, Answer::Type(answer))
    };
    of_the_service(told)
}

/// Something that one of the marketplace's systems has done, without a body.
const fn act(
    path: &'static str,
    name: &'static str,
    summary: &'static str,
    answer: &'static str,
) -> RouteSpec {
    of_the_service(RouteSpec { method: Method::Post, ..get(path, name, summary, Answer::Type(answer)) })
}

/// Something that a person says of what is pushed.
const fn said(
    path: &'static str,
    name: &'static str,
    summary: &'static str,
    body: &'static str,
) -> RouteSpec {
    let told = get(path, name, summary, Answer::Type("PushView"));
    RouteSpec { method: Method::Post, body: Body::Type(body), ..told }
}

const fn open(path: &'static str, name: &'static str, summary: &'static str, answer: Answer) -> RouteSpec {
    RouteSpec { who: Who::Anyone, ..get(path, name, summary, answer) }
}

const fn asked(query: &'static [QuerySpec], route: RouteSpec) -> RouteSpec {
    RouteSpec { query, ..route }
}

const fn parameter(name: &'static str, kind: QueryKind, meaning: &'static str) -> QuerySpec {
    QuerySpec { name, kind, required: false, meaning }
}

const LIMIT: QuerySpec = parameter("limit", QueryKind::Limit, "How many items the page has at most.");
const BEFORE: QuerySpec = parameter("before", QueryKind::Cursor, "The `next` of the page before.");
const STATUS: QuerySpec =
    parameter("status", QueryKind::Type("InvitationStatus"), "Only those that stand like this.");
const MARK: QuerySpec =
    parameter("mark", QueryKind::Type("ClientMark"), "Only those of one's jobs that one has sorted so.");
const SIDE: QuerySpec = parameter("side", QueryKind::Type("Side"), "One's side; absent: freelancer.");
const PHASE: QuerySpec = parameter("phase", QueryKind::Type("Phase"), "Only those in this phase.");

/// The routes that are neither a command's nor a marker's.
pub(super) const VIEWS: &[RouteSpec] = &[
    get("/v1/me", "me", "Who one is, as the marketplace tells.", Answer::Type("UserView")),
    asked(
        &[SIDE, BEFORE, LIMIT],
        get("/v1/me/ledger", "ledger", "One's own ledger, newest first.", Answer::Type("LedgerPage")),
    ),
    asked(
        &[LIMIT],
        get("/v1/jobs", "jobs", "Open jobs, newest first, and one's own.", Answer::Page("JobView")),
    ),
    get("/v1/jobs/{job}", "job", "One job.", Answer::Type("JobView")),
    asked(
        &[
            BEFORE,
            LIMIT,
            parameter("candidacy", QueryKind::Type("CandidacyId"), "Only the room of this candidacy."),
            parameter("proposal", QueryKind::Type("ProposalId"), "Only the room of this proposal."),
            parameter("offer", QueryKind::Type("OfferId"), "Only the room of this offer."),
            parameter("contract", QueryKind::Text(64), "Only the room of this contract."),
        ],
        get("/v1/rooms", "rooms", "The rooms one is a member of, newest first.", Answer::Page("RoomView")),
    ),
    get("/v1/rooms/{room}", "room", "One room.", Answer::Type("RoomView")),
    asked(
        &[
            parameter("after", QueryKind::Number, "Entries behind it, the lowest first. Not with `before`."),
            parameter("before", QueryKind::Number, "The last entries below this number. Not with `after`."),
            LIMIT,
            parameter("proof", QueryKind::Flag, "Whether each entry brings what the chain takes."),
        ],
        get(
            "/v1/rooms/{room}/entries",
            "entries",
            "A stretch of a log by rising number; without `after` and `before` the newest.",
            Answer::Type("EntryPage"),
        ),
    ),
    asked(
        &[parameter(
            "format",
            QueryKind::Type("TranscriptFormat"),
            "`jsonl`, which can be verified, or `html`, which can be read and printed; absent: `jsonl`.",
        )],
        get(
            "/v1/rooms/{room}/transcript",
            "transcript",
            "A room's whole log as a signed file, for the eyes of one's own side.",
            Answer::File(&[Format::Jsonl.media_type(), Format::Html.media_type()]),
        ),
    ),
    asked(
        &[parameter("after", QueryKind::Cursor, "The cursor of the last answer; absent: every log."), LIMIT],
        get("/v1/changes", "changes", "Which logs have grown since a cursor.", Answer::Type("Changes")),
    ),
    asked(
        &[
            QuerySpec {
                required: true,
                ..parameter(
                    "q",
                    QueryKind::Text(limits::SEARCH_BYTES),
                    "The words a message has to have; the last one may be the beginning of a word.",
                )
            },
            parameter("room", QueryKind::Type("RoomRef"), "Only in this room; absent: in all of one's own."),
            BEFORE,
            LIMIT,
        ],
        get("/v1/search", "search", "Messages with these words, newest first.", Answer::Type("SearchPage")),
    ),
    asked(
        &[STATUS, BEFORE, LIMIT],
        get(
            "/v1/invitations",
            "invitations",
            "One's invitations, newest first.",
            Answer::Page("InvitationView"),
        ),
    ),
    get("/v1/invitations/{invitation}", "invitation", "One invitation.", Answer::Type("InvitationView")),
    asked(
        &[PHASE, BEFORE, LIMIT],
        get("/v1/proposals", "proposals", "One's proposals, newest first.", Answer::Page("ProposalView")),
    ),
    get("/v1/proposals/{proposal}", "proposal", "One proposal.", Answer::Type("ProposalView")),
    asked(
        &[PHASE, MARK, BEFORE, LIMIT],
        get(
            "/v1/candidacies",
            "candidacies",
            "One's candidacies, newest first.",
            Answer::Page("CandidacyView"),
        ),
    ),
    get("/v1/candidacies/{candidacy}", "candidacy", "One candidacy.", Answer::Type("CandidacyView")),
    get(
        "/v1/candidacies/{candidacy}/terms",
        "terms",
        "Every version of a candidacy's terms, newest first.",
        Answer::Page("TermsView"),
    ),
    of_the_service(asked(
        &[BEFORE, LIMIT],
        get("/v1/reports", "reports", "What people have reported, newest first.", Answer::Page("ReportView")),
    )),
    get("/v1/offers/{offer}", "offer", "One offer.", Answer::Type("OfferView")),
    of_the_service(asked(
        &[BEFORE, LIMIT],
        get("/v1/contracts", "contracts", "All contracts, newest first.", Answer::Page("ContractView")),
    )),
    get("/v1/contracts/{contract}", "contract", "One contract and its seal.", Answer::Type("ContractView")),
    open("/v1/keys", "keys", "The keys that seals and transcripts are verified with.", Answer::Type("Keys")),
    RouteSpec {
        who: Who::UserOrService,
        refusals: &[ErrorCode::Forbidden],
        ..get("/v1/users/{user}/profile", "profile", "What all see of a person.", Answer::Type("ProfileView"))
    },
    put("/v1/users/{user}", "put_user", "Tell of a person.", ("UserProfile", "UserView")),
    act(
        "/v1/users/{user}/revoke",
        "revoke",
        "Take back every token of a person that was issued before now.",
        "UserView",
    ),
    put("/v1/jobs/{job}", "put_job", "Tell of a job.", ("JobPosting", "JobView")),
    put(
        "/v1/fee-schedules/{schedule}",
        "put_fee_schedule",
        "Tell how fees are computed.",
        ("FeeSchedule", "FeeScheduleView"),
    ),
    put(
        "/v1/billings/{client}/{freelancer}",
        "put_billing",
        "Tell how much a client was charged for a freelancer so far.",
        ("Billing", "BillingView"),
    ),
    of_the_service(asked(
        &[
            parameter(
                "after",
                QueryKind::Cursor,
                "The `cursor` of the last page; absent: from the beginning.",
            ),
            parameter("audience", QueryKind::Type("EventAudience"), "For whom; absent: the marketplace."),
            LIMIT,
        ],
        get("/v1/events", "events", "What has happened since a place, in order.", Answer::Type("EventPage")),
    )),
    of_the_service(get(
        "/v1/webhooks",
        "webhooks",
        "All webhooks, by their ids.",
        Answer::Page("WebhookView"),
    )),
    of_the_service(get("/v1/webhooks/{webhook}", "webhook", "One webhook.", Answer::Type("WebhookView"))),
    RouteSpec {
        refusals: &[ErrorCode::AddressRefused, ErrorCode::LimitReached],
        ..put(
            "/v1/webhooks/{webhook}",
            "put_webhook",
            "Have an address told what happens, or change how.",
            ("WebhookDraft", "WebhookView"),
        )
    },
    RouteSpec {
        method: Method::Delete,
        ..act("/v1/webhooks/{webhook}", "delete_webhook", "Have it told no more.", "WebhookView")
    },
    act(
        "/v1/webhooks/{webhook}/resume",
        "resume_webhook",
        "Go on where a webhook stopped, at once.",
        "WebhookView",
    ),
    of_the_service(get(
        "/v1/webhooks/{webhook}/secret",
        "webhook_secret",
        "What its deliveries are signed with.",
        Answer::Type("WebhookSecret"),
    )),
    act(
        "/v1/webhooks/{webhook}/rotate",
        "rotate_webhook",
        "Sign with a new secret, and for a day with the old one as well.",
        "WebhookSecret",
    ),
    act("/v1/webhooks/{webhook}/ping", "ping_webhook", "Send a test event, and wait for it.", "DeliveryView"),
    of_the_service(asked(
        &[
            parameter("outcome", QueryKind::Type("DeliveryOutcome"), "Only those of which this came."),
            BEFORE,
            LIMIT,
        ],
        get(
            "/v1/webhooks/{webhook}/deliveries",
            "deliveries",
            "What was sent to it, newest first: the last thousand attempts, and what is parked.",
            Answer::Page("DeliveryView"),
        ),
    )),
    act(
        "/v1/webhooks/{webhook}/deliveries/{delivery}/again",
        "redeliver",
        "Have the event of this attempt sent again.",
        "DeliveryView",
    ),
    of_the_service(get(
        "/v1/outbox/{channel}",
        "channel",
        "Whether something that is sent by itself is held back.",
        Answer::Type("ChannelState"),
    )),
    put(
        "/v1/outbox/{channel}",
        "put_channel",
        "Hold back what is sent by itself, or go on; nothing is lost.",
        ("ChannelState", "ChannelState"),
    ),
    get("/v1/push", "push", "What one is pushed, and the key to subscribe with.", Answer::Type("PushView")),
    RouteSpec {
        refusals: &[ErrorCode::AddressRefused],
        ..said("/v1/push/subscribe", "push_subscribe", "Have a browser pushed to.", "PushSubscription")
    },
    said("/v1/push/unsubscribe", "push_unsubscribe", "Have it pushed to no more.", "PushUnsubscribe"),
    said("/v1/push/mute", "push_mute", "Say what is not to be pushed.", "PushMute"),
    open("/v1/ws", "socket", "Open the socket: see `/asyncapi.json`.", Answer::Upgrade),
    open("/livez", "livez", "Whether the process turns.", Answer::Text),
    open("/readyz", "readyz", "Whether the database can be written.", Answer::Text),
    open("/openapi.json", "openapi", "The routes, as OpenAPI 3.1.", Answer::Document),
    open("/asyncapi.json", "asyncapi", "The frames of the socket, as AsyncAPI 3.0.", Answer::Document),
];
