//! Rooms to make transcripts of: their entries are chained and sealed as a server does it.

use anteroom_protocol::candidacy::Phase;
use anteroom_protocol::contract::{ContractEnded, ContractSealed, Seal};
use anteroom_protocol::entry::{
    EntryData, EntryFrame, MessageEdited, MessagePosted, MessageRedacted, PhaseChanged, Proof,
    ProposalSubmitted, RedactedFor, TermsProposed,
};
use anteroom_protocol::id::{CandidacyId, ClientId, OfferId, ProposalId, RoomId, RoomRef, UserId};
use anteroom_protocol::job::JobSummary;
use anteroom_protocol::log::{ChainFields, Hash, Salt, part_digest, to_hex};
use anteroom_protocol::offer::{OfferAccepted, OfferMade};
use anteroom_protocol::signature::{PublicKey, SigningKey};
use anteroom_protocol::terms::{Terms, changes};
use anteroom_protocol::time::Time;
use anteroom_protocol::transcript::{Audience, Header, Trusted, Writer};
use anteroom_protocol::user::UserSummary;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use uuid::Uuid;

pub(crate) const AUDIENCES: [Audience; 3] = [Audience::Client, Audience::Freelancer, Audience::Staff];

pub(crate) const ANA: &str = "usr_ana_4821";
pub(crate) const BEN: &str = "usr_ben_1307";

/// 2026-11-02T09:00:00Z.
const BEGIN: i64 = 1_793_610_000_000_000;

/// The key that signs now.
pub(crate) fn key() -> SigningKey {
    SigningKey::from_seed(&[0x41; 32])
}

/// The key that signed when the contract was sealed.
pub(crate) fn older_key() -> SigningKey {
    SigningKey::from_seed(&[0x2a; 32])
}

/// A key that is nobody's whom a reader trusts.
pub(crate) fn stranger() -> SigningKey {
    SigningKey::from_seed(&[0x66; 32])
}

/// Both keys of the server.
pub(crate) fn trusted() -> Trusted {
    keys().into_iter().collect()
}

pub(crate) fn keys() -> Vec<PublicKey> {
    vec![key().public(), older_key().public()]
}

pub(crate) fn offer() -> OfferId {
    OfferId(Uuid::from_u128(0x019a_3f80_0c44_7e10_8a11_7d3f_0b9c_2e11))
}

fn candidacy() -> CandidacyId {
    CandidacyId(Uuid::from_u128(0x019a_3f2a_0c44_7e10_8a11_7d3f_0b9c_2e02))
}

pub(crate) fn user(id: &str) -> UserId {
    id.parse().expect("an id")
}

pub(crate) fn terms(amount: i64) -> Terms {
    let json = format!(
        r#"{{"kind":"fixed","amount":{amount},"currency":"EUR","milestones":[{{"title":"Pages","amount":{amount}}}]}}"#
    );
    serde_json::from_str(&json).expect("terms")
}

/// One row of a log: an entry as the database has it.
#[derive(Clone)]
pub(crate) struct Row {
    pub(crate) seq: u64,
    pub(crate) kind: String,
    pub(crate) by: Option<UserId>,
    pub(crate) client_id: Option<ClientId>,
    pub(crate) public: String,
    pub(crate) private: Option<String>,
    pub(crate) deleted: bool,
    pub(crate) amended_by: Option<u64>,
    pub(crate) hash: Hash,
}

/// A room and its log.
#[derive(Clone)]
pub(crate) struct Room {
    pub(crate) id: RoomId,
    pub(crate) rows: Vec<Row>,
}

impl Room {
    pub(crate) fn new(id: u128) -> Self {
        let id = RoomId(Uuid::from_u128(0x019a_3f6c_5d10_7c31_9b52_2f0c_0000_0000 | id));
        Self { id, rows: Vec::new() }
    }

    pub(crate) fn head(&self) -> u64 {
        self.rows.len() as u64
    }

    pub(crate) fn hash(&self) -> Hash {
        self.rows.last().map_or(Hash::GENESIS, |row| row.hash)
    }

    pub(crate) fn push(&mut self, by: Option<&str>, data: &EntryData) {
        let (kind, public) = data.canonical();
        self.push_raw(by, kind, String::from_utf8(public).expect("UTF-8"), None);
    }

    pub(crate) fn push_raw(&mut self, by: Option<&str>, kind: &str, public: String, private: Option<String>) {
        let seq = self.head() + 1;
        self.rows.push(Row {
            seq,
            kind: kind.to_owned(),
            by: by.map(user),
            client_id: by.map(|_| ClientId(Uuid::from_u128(u128::from(seq) << 64 | 0xabcd_ef00))),
            public,
            private,
            deleted: false,
            amended_by: None,
            hash: Hash::GENESIS,
        });
        self.chain();
    }

    /// Gives the last entry its hash.
    fn chain(&mut self) {
        let before = self.rows.iter().rev().nth(1).map_or(Hash::GENESIS, |row| row.hash);
        let room = self.id.to_string();
        let row = self.rows.last_mut().expect("an entry");
        let private =
            row.private.as_ref().map(|part| part_digest(&salt(row.seq, "private"), part.as_bytes()));
        row.hash = ChainFields {
            at: at(row.seq),
            by: row.by.as_ref(),
            client_id: row.client_id,
            kind: &row.kind,
            private,
            public: Some(part_digest(&salt(row.seq, "public"), row.public.as_bytes())),
            room: &room,
            seq: row.seq,
        }
        .hash(&before);
    }

    /// The same rows under hashes that fit them: what a forger does who has no key.
    pub(crate) fn rechained(&self) -> Self {
        let mut room = Self { id: self.id, rows: Vec::new() };
        for row in &self.rows {
            room.rows.push(row.clone());
            room.chain();
        }
        room
    }

    pub(crate) fn say(&mut self, by: &str, body: &str) {
        self.push(Some(by), &EntryData::MessagePosted(MessagePosted { body: body.to_owned() }));
    }

    pub(crate) fn edit(&mut self, seq: u64, body: &str) {
        let by = self.rows[seq as usize - 1].by.clone().expect("an author");
        let body = body.to_owned();
        self.push(Some(by.as_str()), &EntryData::MessageEdited(MessageEdited { seq, body }));
        self.rows[seq as usize - 1].amended_by = Some(self.head());
    }

    /// Deletes a message and its edits.
    pub(crate) fn redact(&mut self, seq: u64) {
        let by = self.rows[seq as usize - 1].by.clone().expect("an author");
        let (reason, on_behalf) = ("A wrong number".to_owned(), RedactedFor::Author);
        self.push(Some(by.as_str()), &EntryData::MessageRedacted(MessageRedacted { seq, reason, on_behalf }));
        let head = self.head();
        let edit = format!(r#""seq":{seq}}}"#);
        for row in &mut self.rows {
            if row.seq == seq || row.kind == "message.edited" && row.public.ends_with(&edit) {
                row.deleted = true;
                row.amended_by = Some(head);
            }
        }
    }

    pub(crate) fn propose(&mut self, by: &str, version: u32, amount: i64, before: Option<i64>) {
        let terms = terms(amount);
        let changes = before.map_or_else(Vec::new, |before| changes(&self::terms(before), &terms));
        let hash = terms.hash();
        let data =
            EntryData::TermsProposed(TermsProposed { version, hash, terms, changes, expires_at: None });
        let (kind, public) = data.canonical();
        let fee = amount / 10;
        let private = format!(
            r#"{{"charged":{amount},"fee":{fee},"schedule":{{"basis_points":1000,"kind":"flat"}},"take_home":{}}}"#,
            amount - fee
        );
        self.push_raw(Some(by), kind, String::from_utf8(public).expect("UTF-8"), Some(private));
    }

    pub(crate) fn offer(&mut self, version: u32, hash: Hash) {
        let made = OfferMade { offer: offer(), version, hash, expires_at: at(5_000) };
        self.push(Some(ANA), &EntryData::OfferMade(made));
    }

    pub(crate) fn accept(&mut self, version: u32, hash: Hash) {
        self.push(Some(BEN), &EntryData::OfferAccepted(OfferAccepted { offer: offer(), version, hash }));
    }

    /// The seal that belongs behind the last entry.
    pub(crate) fn seal_of(&self, version: u32, terms: Hash, key: &SigningKey) -> Seal {
        Seal {
            contract: "con_77".parse().expect("an id"),
            offer: Some(offer()),
            candidacy: candidacy(),
            job: "job_9".parse().expect("an id"),
            client: user(ANA),
            freelancer: user(BEN),
            room: self.id,
            version,
            terms,
            position: self.head(),
            head: self.hash(),
            sealed_at: at(self.head() + 1),
            key: key.public().fingerprint(),
        }
    }

    pub(crate) fn seal(&mut self, seal: Seal, key: &SigningKey) {
        self.push(None, &EntryData::ContractSealed(ContractSealed::new(seal, key)));
    }

    pub(crate) fn phase(&mut self, phase: Phase) {
        self.push(None, &EntryData::PhaseChanged(PhaseChanged { phase }));
    }

    pub(crate) fn frame(&self, at_row: usize, audience: Audience) -> EntryFrame {
        let row = &self.rows[at_row];
        let raw = |text: &str| RawValue::from_string(text.to_owned()).expect("JSON");
        let (public, private) = (salt(row.seq, "public"), salt(row.seq, "private"));
        let shown = row.private.as_ref().filter(|_| audience.reads_private());
        let hidden = row.private.as_ref().filter(|_| !audience.reads_private());
        EntryFrame {
            room: RoomRef::Room(self.id),
            seq: row.seq,
            kind: row.kind.clone(),
            at: at(row.seq),
            by: row.by.clone(),
            client_id: row.client_id,
            hash: row.hash,
            data: raw(if row.deleted { "null" } else { &row.public }),
            amended_by: row.amended_by,
            private: shown.map(|part| raw(part)),
            proof: Some(Proof {
                public_salt: (!row.deleted).then(|| to_hex(&public)),
                public_digest: row.deleted.then(|| part_digest(&public, row.public.as_bytes())),
                private_digest: hidden.map(|part| part_digest(&private, part.as_bytes())),
                private_salt: shown.map(|_| to_hex(&private)),
            }),
        }
    }

    pub(crate) fn header(&self, audience: Audience) -> Header {
        let person = |id, name: &str| UserSummary { id: user(id), name: name.to_owned(), avatar_url: None };
        Header {
            audience,
            room: self.id,
            candidacy: candidacy(),
            job: JobSummary { id: "job_9".parse().expect("an id"), title: "Seven pages".into(), url: None },
            client: person(ANA, "Ana Ölwein"),
            freelancer: person(BEN, "Ben \"Pixel\" Okafor"),
            keys: keys(),
            exported_at: at(9_000),
        }
    }

    pub(crate) fn transcript(&self, audience: Audience) -> Vec<u8> {
        let mut writer = Writer::new(Vec::new(), &self.header(audience)).expect("a header");
        for row in 0..self.rows.len() {
            writer.entry(&self.frame(row, audience)).expect("an entry");
        }
        writer.finish(&key()).expect("a footer")
    }
}

pub(crate) fn at(seq: u64) -> Time {
    Time::from_micros(BEGIN + seq as i64 * 61_000_007)
}

fn salt(seq: u64, part: &str) -> Salt {
    let bytes: [u8; 32] = Sha256::new().chain_update(seq.to_be_bytes()).chain_update(part).finalize().into();
    bytes[..16].try_into().expect("16 bytes")
}

/// How a room begins.
fn begin(room: &mut Room) {
    let letter = ProposalSubmitted {
        proposal: ProposalId(Uuid::from_u128(0x019a_3f2a_0c44_7e10_8a11_7d3f_0b9c_2e03)),
        cover_letter: "I have made pages like these.".to_owned(),
        submitted_at: at(0),
    };
    room.push(Some(BEN), &EntryData::ProposalSubmitted(letter));
    room.propose(BEN, 1, 90_000, None);
    room.phase(Phase::Active);
}

/// How it comes to a contract.
pub(crate) fn agree(room: &mut Room) {
    room.propose(ANA, 2, 80_000, Some(90_000));
    let hash = terms(80_000).hash();
    room.offer(2, hash);
    room.accept(2, hash);
    let seal = room.seal_of(2, hash, &older_key());
    room.seal(seal, &older_key());
}

/// A dozen entries, one of each form there is.
pub(crate) fn small() -> Room {
    let mut room = Room::new(1);
    begin(&mut room);
    room.say(ANA, "Net or gross?\t\"Both\" \\ either / neither\r\nÄpfel, €\u{2028} and 🙂");
    room.say(BEN, "Call 030 1234");
    room.redact(5);
    agree(&mut room);
    room.push_raw(Some(ANA), "file.shared", r#"{"name":"logo.svg"}"#.to_owned(), None);
    room.say(BEN, "Done");
    room
}

/// 1,000 entries: words, edits, deletions, and a contract in the middle of them.
pub(crate) fn large() -> Room {
    let mut room = Room::new(2);
    begin(&mut room);
    talk(&mut room, 500);
    agree(&mut room);
    room.phase(Phase::Hired);
    talk(&mut room, 999);
    let ended = ContractEnded { contract: "con_77".parse().expect("an id"), reason: Some("Done".into()) };
    room.push(None, &EntryData::ContractEnded(ended));
    room
}

/// Words until the log has so many entries.
fn talk(room: &mut Room, until: u64) {
    let mut last = None;
    while room.head() < until {
        let seq = room.head() + 1;
        match (seq % 30, last) {
            (7, Some(message)) => room.edit(message, &format!("Rather {seq}, I think.")),
            (9 | 23, Some(message)) => {
                room.redact(message);
                last = None;
            }
            _ => {
                room.say(if seq.is_multiple_of(2) { ANA } else { BEN }, &format!("Page {seq} is “ready”."));
                last = Some(seq);
            }
        }
    }
}
