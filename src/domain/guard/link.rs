//! Links that lead to a person, and what stands for them.

use std::ops::Range;

use anteroom_protocol::guard::ContactRule;

use super::address::{Domain, domain};
use super::finders::Finders;
use super::places::{self, Place};
use super::spoken;
use super::token::Kind;
use super::vocabulary::Class;
use super::{Reading, Suspicion};

/// Adds links that may lead to a person.
pub(super) fn suspect(reading: &Reading<'_>, finders: &dyn Finders, found: &mut Vec<Suspicion>) {
    let text = &reading.folded.text;
    for place in finders.links(text) {
        if let Some(link) = Link::read(&text[place.clone()]) {
            let address = text[..place.start].ends_with('@');
            if !address {
                found.extend(judge(reading, &place, &link));
            }
        }
    }
    for at in 0..reading.tokens.len() {
        if let Some(domain) = spoken_domain(reading, at) {
            found.extend(judge_spoken(reading, &domain));
        }
    }
}

/// A link in its parts.
struct Link<'a> {
    scheme: bool,
    host: &'a str,
    path: &'a str,
}

impl<'a> Link<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest))
                if matches!(
                    scheme,
                    "http" | "https" | "hxxp" | "hxxps" | "viber" | "tg" | "whatsapp" | "skype"
                ) =>
            {
                (Some(scheme), rest)
            }
            Some((_, rest)) => (None, rest),
            None => (None, text),
        };
        let authority = rest.split(['/', '?', '#']).next()?;
        let path = rest.get(authority.len()..).unwrap_or_default().trim_start_matches('/');
        let host = authority.rsplit('@').next()?.split(':').next()?.trim_end_matches('.');
        let label = host.rsplit('.').next()?;
        let own = matches!(scheme, Some("viber" | "tg" | "whatsapp" | "skype"));
        let known = places::place(host, path) != Place::Unknown;
        let whole = host.contains('.') && (known || places::is_tld(label) || label.starts_with("xn--"));
        (own || whole).then_some(Self {
            scheme: scheme.is_some(),
            host: if own { "t.me" } else { host },
            path,
        })
    }

    fn label(&self) -> &str {
        self.host.rsplit('.').next().unwrap_or_default()
    }
}

fn judge(reading: &Reading<'_>, place: &Range<usize>, link: &Link<'_>) -> Option<Suspicion> {
    if places::is_reserved(link.host) {
        return None;
    }
    match places::place(link.host, link.path) {
        Place::Personal(rule) => {
            let bare = !link.scheme && link.path.is_empty();
            // "Build something like calendly.com" names it; a page of somebody's there has a path, or is asked to be used.
            let named = link.path.is_empty()
                && link.host.matches('.').count() == 1
                && !matches!(rule, ContactRule::ShortLink);
            let said =
                reading.marks.reaches(place, (40, 24)) || reading.marks.near(Class::Mine, place, (24, 0));
            let score = match (named, bare, said) {
                (false, ..) => 110,
                (true, true, false) => 30,
                (true, false, false) => 40,
                (true, _, true) => 80,
            };
            Some(Suspicion::new(place.clone(), rule, score))
        }
        Place::Public => public(reading, place, link),
        Place::Unknown => {
            Some(Suspicion::new(place.clone(), rule_of(link.path), unknown(reading, place, link)))
        }
    }
}

/// One's own page on a host where code and articles are.
fn public(reading: &Reading<'_>, place: &Range<usize>, link: &Link<'_>) -> Option<Suspicion> {
    const PROFILES: [&str; 4] = ["github.com", "gitlab.com", "bitbucket.org", "codepen.io"];
    let host = link.host.strip_prefix("www.").unwrap_or(link.host);
    let path = link.path.trim_end_matches('/');
    if !PROFILES.contains(&host) || path.is_empty() || path.contains('/') {
        return None;
    }
    let mine = reading.marks.near(Class::Mine, place, (28, 24)) || reading.marks.reaches(place, (40, 24));
    let score = 40 + if mine { 60 } else { 0 };
    Some(Suspicion::new(place.clone(), ContactRule::ProfileLink, score))
}

/// Parts of a path behind which one meets somebody.
const MEETING_PATHS: [&str; 34] = [
    "contact",
    "contacts",
    "contact-us",
    "contactus",
    "contact-me",
    "kontakt",
    "contacto",
    "contato",
    "contatti",
    "contactez",
    "kontakty",
    "iletisim",
    "lien-he",
    "kontak",
    "book",
    "booking",
    "bookings",
    "book-a-call",
    "schedule",
    "hire",
    "hire-me",
    "hireme",
    "about-me",
    "aboutme",
    "meet",
    "calendar",
    "appointment",
    "appointments",
    "termin",
    "rdv",
    "form",
    "inquiry",
    "enquiry",
    "reach",
];

fn meets(path: &str) -> bool {
    path.split(['/', '?', '#', '.', '=', '&']).any(|part| MEETING_PATHS.contains(&part))
}

fn rule_of(path: &str) -> ContactRule {
    if !meets(path) {
        ContactRule::PersonalPage
    } else if path.contains("book")
        || path.contains("sched")
        || path.contains("calend")
        || path.contains("appoint")
    {
        ContactRule::BookingLink
    } else {
        ContactRule::FormLink
    }
}

// Paths behind which somebody tells of oneself.
word_set!(
    OWN_PAGES,
    "portfolio|about|about-us|team|uber-mich|ueber-mich|sobre|o-mnie|o-nas|chi-siamo|hakkimda|cv|resume|me"
);

/// How much the link itself looks like somebody's own.
fn says_of_itself(link: &Link<'_>) -> i32 {
    let first = link.path.split('/').next().unwrap_or_default();
    let deep = link.path.trim_end_matches('/').contains('/');
    let own_host =
        ["portfolio", "freelance", "studio", "design", "photograph", "resume", "cv-", "-cv", "hire"];
    let own_label =
        matches!(link.label(), "me" | "name" | "bio" | "cv" | "portfolio" | "photography" | "resume");
    let path = match (meets(link.path), deep) {
        (true, _) => 60,
        (false, true) => -20,
        (false, false) => 0,
    };
    path + weight(OWN_PAGES.contains(first), 30)
        + weight(own_host.iter().any(|word| link.host.contains(word)), 30)
        + weight(own_label, 30)
        - weight(matches!(link.label(), "org" | "gov" | "edu" | "int" | "mil"), 30)
        - weight(is_documentation(link), 80)
}

/// How much the words around it speak of somebody's own.
fn says_around(reading: &Reading<'_>, place: &Range<usize>) -> i32 {
    let marks = &reading.marks;
    weight(marks.near(Class::Mine, place, (36, 16)), 30)
        + weight(marks.near(Class::Site, place, (40, 24)), 40)
        + weight(marks.reaches(place, (48, 32)), 50)
        - weight(marks.near(Class::Public, place, (32, 12)), 50)
}

fn weight(applies: bool, points: i32) -> i32 {
    if applies { points } else { 0 }
}

/// How much a link to a host that nobody knows looks like a person's.
fn unknown(reading: &Reading<'_>, place: &Range<usize>, link: &Link<'_>) -> i32 {
    let www = link.host.starts_with("www.");
    let bare = match (link.scheme || www, places::is_ambiguous_tld(link.label())) {
        (true, _) => 100,
        (false, true) if link.path.is_empty() => 0,
        (false, _) => 40,
    };
    let (of_itself, around) = (says_of_itself(link), says_around(reading, place));
    // "My portfolio: …/docs": whose it is, is said.
    let own =
        reading.marks.near(Class::Mine, place, (36, 0)) && reading.marks.near(Class::Site, place, (40, 0));
    bare + if own { of_itself.max(0) } else { of_itself } + around
}

// Parts of hosts and paths that only documentation, code and shops have.
word_set!(
    PUBLIC_HOSTS,
    "docs|doc|api|developer|developers|dev|wiki|help|support|learn|guide|guides|reference|manual|spec|specs|staging|cdn|static|status|git|news|shop|store|data|opendata|search|archive|standards"
);
word_set!(
    PUBLIC_PATHS,
    "man|docs|doc|documentation|documentacion|dokumentation|dokumentacja|dokumentaciya|doku|api|reference|references|wiki|spec|specs|specification|standard|standards|rfc|manual|manuals|handbook|handbuch|leitfaden|guide|guides|guia|guida|guidelines|podrecznik|\
     tutorial|tutorials|howto|faq|blob|tree|raw|releases|release|issues|pull|commit|src|download|downloads|packages|package|plugins|changelog|readme|article|articles|news|pricing|products|product|catalog|legal|terms|law|laws|paper|papers|dataset|datasets|v1|v2|v3|api-docs|license|licenses|schema|schemas"
);

/// Whether documentation, code or a shop is there by its host or its path.
fn is_documentation(link: &Link<'_>) -> bool {
    let host = link.host.split('.').rev().skip(2).any(|label| PUBLIC_HOSTS.contains(label));
    let parts = link.path.split(|c: char| !c.is_alphanumeric()).take(8);
    host || link.path.ends_with(".pdf") || parts.into_iter().any(|part| PUBLIC_PATHS.contains(part))
}

/// A domain whose dots are words, or whose letters were pulled apart, with no sign for an address before it.
fn spoken_domain(reading: &Reading<'_>, at: usize) -> Option<Domain> {
    let tokens = &reading.tokens;
    let token = tokens.get(at).filter(|token| token.kind == Kind::Word)?;
    let before = at.checked_sub(1).and_then(|before| tokens.get(before));
    let inside = token.is_glued()
        && before.is_some_and(|before| {
            matches!(before.kind, Kind::Word | Kind::Digits | Kind::Sign('.' | '-' | '_' | '@'))
        });
    if inside {
        return None;
    }
    domain(tokens, at).filter(|domain| {
        // What no library takes for a link may still lead somewhere: "//t.me/ana", "t.me\\ana".
        let leads =
            || spoken::slash(tokens, domain.tokens.end).is_some() && places::is_personal(&domain.name);
        domain.is_complete && (domain.spoken || domain.spread || leads())
    })
}

fn judge_spoken(reading: &Reading<'_>, domain: &Domain) -> Option<Suspicion> {
    let tokens = &reading.tokens;
    let mut end = domain.tokens.end;
    let mut path = String::new();
    while let Some((length, _)) = spoken::slash(tokens, end).filter(|_| path.len() < 256) {
        let Some((label, next)) = super::address::label(tokens, end + length) else { break };
        if !path.is_empty() {
            path.push('/');
        }
        path.push_str(&label);
        end = next;
    }
    let place = reading.place(domain.tokens.start..end);
    if places::is_reserved(&domain.name) {
        return None;
    }
    let score = match places::place(&domain.name, &path) {
        Place::Personal(_) if !path.is_empty() || domain.name.matches('.').count() > 1 => 110,
        Place::Personal(_) => 50 + said(reading, &place),
        Place::Public => 0,
        Place::Unknown => 50 + said(reading, &place) + if path.is_empty() { 0 } else { 20 },
    };
    Some(Suspicion::new(place, ContactRule::DisguisedLink, score))
}

fn said(reading: &Reading<'_>, place: &Range<usize>) -> i32 {
    let marks = &reading.marks;
    let reach = if marks.reaches(place, (48, 32)) { 50 } else { 0 };
    let mine = if marks.near(Class::Mine, place, (36, 16)) { 30 } else { 0 };
    let site = if marks.near(Class::Site, place, (40, 24)) { 20 } else { 0 };
    let public = if marks.near(Class::Public, place, (32, 12)) { 50 } else { 0 };
    reach + mine + site - public
}
