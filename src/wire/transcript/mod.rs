//! A transcript as a page for people: one HTML file without a script, to be read and printed. It is made piece by piece, as the log is
//! read, of what a reader of the wire would have: the header and the entries. Every text goes through the template's escaping.
//!
//! What never lives here: what may be in it, and the proof. That is the transcript in JSON Lines.

mod entry;
mod terms;

use std::collections::BTreeMap;
use std::mem;
use std::ops::RangeInclusive;

use anteroom_protocol::entry::EntryFrame;
use anteroom_protocol::id::UserId;
use anteroom_protocol::log::Hash;
use anteroom_protocol::signature::PublicKey;
use anteroom_protocol::time::Time;
use anteroom_protocol::transcript::{Audience, Header};
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// What a browser is told beside the page: what the page says itself, and that nobody shows it inside of another page.
pub const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// What the page says itself, for whoever opens it as a file.
const META: &str = "default-src 'none'; style-src 'unsafe-inline'";

const STYLE: &str = include_str!("style.css");

/// The tags around the entries stay open from one piece to the next, and no template leaves one open.
const BEFORE_THE_ENTRIES: &str = "<h2 id=\"entries\">Entries</h2>\n<table class=\"log\" aria-labelledby=\"entries\">\n<thead><tr><th scope=\"col\" class=\"no\">No.</th>\
    <th scope=\"col\" class=\"at\">Time (UTC)</th><th scope=\"col\" class=\"who\">Who</th><th scope=\"col\">What</th></tr></thead>\n<tbody>\n";
const BEHIND_THE_ENTRIES: &str = "</tbody>\n</table>\n";
const END: &str = "</main>\n</body>\n</html>\n";

/// A page that is being written.
pub struct Page {
    header: Header,
    text: String,
    /// The currency of each version of the terms.
    currencies: BTreeMap<u32, String>,
    /// The fingerprints of the keys that seals were signed with.
    seals: Vec<Hash>,
}

impl Page {
    /// Begins it.
    pub fn new(header: &Header) -> Self {
        let mut page = Self {
            header: header.clone(),
            text: String::new(),
            currencies: BTreeMap::new(),
            seals: Vec::new(),
        };
        page.text += &beginning(header);
        page
    }

    /// Writes the next entry.
    pub fn entry(&mut self, entry: &EntryFrame) {
        let content = self.content(entry);
        let row = html! {
            tr id=(format!("e{}", entry.seq)) {
                th scope="row" class="no" { (entry.seq) }
                td class="at" { (moment(entry.at)) }
                td class="who" { (self.author(entry.by.as_ref())) }
                td { (content) }
            }
        };
        self.text += &row.into_string();
        self.text.push('\n');
    }

    /// What was written since this was asked last.
    pub fn take(&mut self) -> String {
        mem::take(&mut self.text)
    }

    /// Says how to verify what stands above, which ends with this entry and whose transcript this key signs. What was not taken yet.
    pub fn end(mut self, (head, hash): (u64, Hash), key: &PublicKey) -> String {
        self.text += BEHIND_THE_ENTRIES;
        let key = key.fingerprint();
        let mut keys = vec![key];
        keys.extend(mem::take(&mut self.seals).into_iter().filter(|seal| *seal != key));
        self.text += &verifying(&self.header, (head, hash), &keys).into_string();
        self.text += END;
        self.text
    }

    fn author(&self, by: Option<&UserId>) -> Markup {
        let Header { client, freelancer, .. } = &self.header;
        match by {
            None => html! { span class="note" { "the server" } },
            Some(id) if *id == client.id => html! { bdi { (client.name) } span class="side" { "client" } },
            Some(id) if *id == freelancer.id => {
                html! { bdi { (freelancer.name) } span class="side" { "freelancer" } }
            }
            Some(id) => html! { bdi { (id) } },
        }
    }
}

fn beginning(header: &Header) -> String {
    let Header { audience, room, candidacy, job, client, freelancer, exported_at, .. } = header;
    let (made_for, about) = audience_in_words(*audience);
    let head = html! {
        head {
            meta charset="utf-8";
            meta http-equiv="Content-Security-Policy" content=(META);
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="referrer" content="no-referrer";
            title { "Transcript: " (job.title) }
            style { (PreEscaped(STYLE)) }
        }
    };
    let top = html! {
        h1 { "Transcript: " bdi { (job.title) } }
        p class="lead" { "Made " (moment_in_full(*exported_at)) " " (made_for) ". " (about) }
        dl {
            dt { "Job" } dd { bdi { (job.title) } " " code { (job.id) } }
            dt { "Client" } dd { bdi { (client.name) } " " code { (client.id) } }
            dt { "Freelancer" } dd { bdi { (freelancer.name) } " " code { (freelancer.id) } }
            dt { "Room" } dd { code { (room) } }
            dt { "Candidacy" } dd { code { (candidacy) } }
        }
    };
    let (doctype, head, top) = (DOCTYPE.into_string(), head.into_string(), top.into_string());
    format!("{doctype}\n<html lang=\"en\">\n{head}\n<body>\n<main>\n{top}\n{BEFORE_THE_ENTRIES}")
}

/// For whom it is, and what that means.
fn audience_in_words(audience: Audience) -> (&'static str, &'static str) {
    match audience {
        Audience::Client => ("for the client’s side", "What only the freelancer’s side reads is not in it."),
        Audience::Freelancer => (
            "for the freelancer’s side",
            "It shows what the freelancer takes home, which the client’s side never sees.",
        ),
        Audience::Staff => (
            "for the marketplace",
            "It shows what the freelancer takes home, which the client’s side never sees.",
        ),
    }
}

fn verifying(header: &Header, (head, hash): (u64, Hash), keys: &[Hash]) -> Markup {
    let room = header.room;
    let trusted: String = keys.iter().map(|key| format!(" \\\n  --fingerprint {key}")).collect();
    html! {
        h2 { "How to verify it" }
        p {
            "This page is for reading and printing; it proves nothing by itself. The proof is the same log as a file, the transcript in JSON "
            "Lines. Whoever has that file needs no server to verify it:"
        }
        pre { "anteroom verify room-" (room) ".jsonl" (trusted) }
        p {
            "Take the fingerprint of the key from where you trust it: from " code { "/v1/keys" } " of the server, or from somebody who wrote it "
            "down. One that you know from this page alone proves nothing. What the command reports must fit this:"
        }
        dl {
            dt { "Last entry" } dd { (head) }
            dt { "Its hash" } dd class="hex" { (hash) }
            @for key in keys { dt { "Key fingerprint" } dd class="hex" { (key) } }
        }
    }
}

/// Day and second, as a table has room for.
fn moment(at: Time) -> Markup {
    let text = at.to_string();
    let (day, time) = (text.get(..10).unwrap_or(&text), text.get(11..19).unwrap_or_default());
    html! { time datetime=(text) { (day) " " (time) } }
}

/// The same in a sentence.
fn moment_in_full(at: Time) -> Markup {
    html! { (moment(at)) " UTC" }
}

/// Somebody's words, line ends and all.
fn words(text: &str) -> Markup {
    html! { div class="text" dir="auto" { (plain(text)) } }
}

/// A text in the order in which it was written: what would turn the direction of its letters is shown instead of obeyed.
fn plain(text: &str) -> Markup {
    const TURNS: [RangeInclusive<char>; 2] = ['\u{202a}'..='\u{202e}', '\u{2066}'..='\u{2069}'];
    html! {
        @for part in text.split_inclusive(|c| TURNS.iter().any(|turns| turns.contains(&c))) {
            @match part.chars().next_back().filter(|c| TURNS.iter().any(|turns| turns.contains(c))) {
                Some(turn) => {
                    (&part[..part.len() - turn.len_utf8()])
                    span class="turn" { (format!("U+{:04X}", u32::from(turn))) }
                }
                None => (part),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(audience: Audience) -> Header {
        let golden = include_str!("../../../protocol/golden/transcript/room.jsonl");
        let first = golden.lines().next().expect("a header");
        Header { audience, ..serde_json::from_str(first).expect("a header") }
    }

    fn entries() -> Vec<EntryFrame> {
        let golden = include_str!("../../../protocol/golden/transcript/room.jsonl");
        golden.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    fn page(header: &Header, entries: &[EntryFrame]) -> String {
        let mut page = Page::new(header);
        entries.iter().for_each(|entry| page.entry(entry));
        let last = entries.last().map_or((0, Hash::GENESIS), |entry| (entry.seq, entry.hash));
        page.end(last, &header.keys[0])
    }

    #[test]
    fn every_entry_has_its_row_and_every_seal_its_banner() {
        let (header, entries) = (header(Audience::Freelancer), entries());
        let page = page(&header, &entries);
        assert!(entries.len() > 8, "the example was read");
        for entry in &entries {
            assert_eq!(page.matches(&format!("<tr id=\"e{}\">", entry.seq)).count(), 1, "{}", entry.kind);
        }
        let seals = entries.iter().filter(|entry| entry.kind == "contract.sealed").count();
        assert_eq!(page.matches("Sealed: entries 1 to ").count(), seals);
        assert!(page.contains("EUR 810.00"), "what the freelancer takes home");
        assert!(page.contains("for the freelancer’s side") && page.contains("anteroom verify room-"));
    }

    #[test]
    fn no_text_becomes_markup() {
        const HOSTILE: &str = "</td><script>alert(1)</script>\" onload=\"x' & \u{202e}gnp.exe";
        let mut header = header(Audience::Client);
        header.job.title = HOSTILE.into();
        header.client.name = HOSTILE.into();
        let mut entries = entries();
        for entry in &mut entries {
            entry.kind = HOSTILE.into();
        }
        entries[0].kind = "message.posted".into();
        let body = serde_json::json!({ "body": HOSTILE }).to_string();
        entries[0].data = serde_json::value::RawValue::from_string(body).expect("JSON");
        let page = page(&header, &entries);
        assert!(!page.contains("<script") && !page.contains("onload=\""), "{page}");
        assert_eq!(page.matches("<tr").count(), page.matches("</tr>").count());
        assert_eq!(page.matches("<td").count(), page.matches("</td>").count());
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
        assert!(page.contains("<span class=\"turn\">U+202E</span>gnp.exe"), "shown, not obeyed: {page}");
    }

    #[test]
    fn a_page_of_the_clients_side_shows_no_fee() {
        let mut entries = entries();
        for entry in &mut entries {
            entry.private = None;
        }
        let page = page(&header(Audience::Client), &entries);
        assert!(page.contains("for the client’s side") && !page.contains("810.00"), "{page}");
        assert!(!page.to_lowercase().contains("take-home"), "{page}");
    }
}
