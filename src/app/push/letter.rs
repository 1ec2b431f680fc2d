//! One push: encrypted for one browser (RFC 8291), in the name of this server (RFC 8292), for its push service (RFC 8030).

use anteroom_protocol::id::{InvitationId, RoomRef};
use anteroom_protocol::push::{PushData, PushKind, PushMessage, PushNotification};
use anteroom_protocol::time::Time;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::json;
use web_push_native::p256::elliptic_curve::sec1::ToEncodedPoint as _;
use web_push_native::p256::{PublicKey, SecretKey};
use web_push_native::{Auth, encrypt};

use crate::domain::push::{time_to_live, title, urgency};
use crate::outbound::Post;
use crate::store::Push;

/// How long a signature is good, in seconds: a push service takes no longer one than a day.
const SIGNED_FOR: i64 = 12 * 60 * 60;

/// Who pushes: the server's key, whom a push service can ask about it, and which services are pushed to.
pub struct Sender {
    key: EcdsaKeyPair,
    public: String,
    contact: Option<String>,
    services: Vec<String>,
}

/// The secret key of these random bytes, if they are one: of all but one in four thousand millions they are.
pub fn secret_of(bytes: &[u8; 32]) -> Option<SecretKey> {
    SecretKey::from_slice(bytes).ok()
}

impl Sender {
    /// With the server's secret key.
    ///
    /// # Errors
    /// The key is none of its curve.
    pub fn new(
        kept: &[u8; 32],
        contact: Option<String>,
        services: Vec<String>,
    ) -> Result<Self, &'static str> {
        const WRONG: &str = "the database's key for push notifications is none";
        let secret = secret_of(kept).ok_or(WRONG)?;
        let public = secret.public_key().to_encoded_point(false);
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let key = EcdsaKeyPair::from_private_key_and_public_key(algorithm, kept, public.as_bytes());
        let key = key.map_err(|_| WRONG)?;
        Ok(Self { key, public: BASE64.encode(public.as_bytes()), contact, services })
    }

    /// What browsers subscribe with.
    pub fn public_key(&self) -> String {
        self.public.clone()
    }

    /// Whether this host is a push service that is pushed to: anybody may name an address.
    pub fn is_service(&self, host: &str) -> bool {
        let is_of = |service: &String| match service.strip_prefix("*.") {
            Some(domain) => host.strip_suffix(domain).is_some_and(|before| before.ends_with('.')),
            None => host == *service,
        };
        self.services.iter().any(is_of)
    }

    /// The `Authorization` of a push to this address: a token (ES256) for its origin.
    fn authorization(&self, endpoint: &str, now: Time) -> String {
        let origin: String = endpoint.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
        let mut claims = json!({ "aud": origin, "exp": now.as_seconds() + SIGNED_FOR });
        if let Some(contact) = &self.contact {
            claims["sub"] = json!(contact);
        }
        let part = |value: &serde_json::Value| BASE64.encode(value.to_string());
        let signed = format!("{}.{}", part(&json!({ "typ": "JWT", "alg": "ES256" })), part(&claims));
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes());
        let signature = signature.map(|signature| BASE64.encode(signature.as_ref())).unwrap_or_default();
        format!("vapid t={signed}.{signature}, k={}", self.public)
    }

    /// What is posted for a push; `None`: the browser's keys are none, which nobody could have kept.
    pub(super) fn letter(
        &self,
        push: &Push,
        kind: PushKind,
        invitation: Option<InvitationId>,
        now: Time,
    ) -> Option<Post> {
        let endpoint = &push.browser.endpoint;
        let message = serde_json::to_vec(&message(push, kind, invitation)).ok()?;
        let key = PublicKey::from_sec1_bytes(&push.browser.p256dh).ok()?;
        let auth: [u8; 16] = push.browser.auth.as_slice().try_into().ok()?;
        let body = encrypt(message, &key, &Auth::from(auth)).ok()?;
        let mut headers = vec![
            ("authorization", self.authorization(endpoint, now)),
            ("content-encoding", "aes128gcm".to_owned()),
            ("content-type", "application/octet-stream".to_owned()),
            ("ttl", time_to_live(kind).as_secs().to_string()),
            ("urgency", urgency(kind).as_str().to_owned()),
        ];
        // Of what waits at the push service for a browser that is not there, the newest of a room is all that is kept. Invitations are each by
        // themselves.
        if let RoomRef::Room(room) = push.told.entry.log.reference() {
            headers.push(("topic", room.0.simple().to_string()));
        }
        Some(Post { url: endpoint.clone(), headers, body })
    }
}

fn message(push: &Push, kind: PushKind, invitation: Option<InvitationId>) -> PushMessage {
    let room = push.told.entry.log.reference();
    let (navigate, tag) = match (room, invitation) {
        (RoomRef::Room(room), _) => (format!("/#/room/{room}"), format!("room {room}")),
        (RoomRef::Inbox, Some(invitation)) => {
            (format!("/#/invitation/{invitation}"), format!("invitation {invitation}"))
        }
        (RoomRef::Inbox, None) => ("/#/notices".to_owned(), format!("inbox {}", push.told.entry.seq)),
    };
    let candidacy = push.told.case.as_ref().map(|case| case.candidacy);
    let data = PushData { kind, room, seq: push.told.entry.seq, unread: push.unread, candidacy, invitation };
    let notification = PushNotification { title: title(kind, push.unread), body: None, navigate, tag, data };
    PushMessage { web_push: 8030, notification }
}
