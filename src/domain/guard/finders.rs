//! What libraries find: telephone numbers and links. The one place that knows which libraries.

use std::ops::Range;
use std::sync::LazyLock;

use linkify::{LinkFinder, LinkKind};
use rlibphonenumber::phonenumber_matcher::{FindNumberExt as _, Leniency};
use rlibphonenumber::{PhoneNumber, Region};

/// How good a telephone number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Dialable {
    /// Nobody has such a number.
    No,
    /// There can be one.
    Valid,
    /// There can be one, and it is written as people there write it.
    AsWritten,
}

/// Finds what there are good libraries for.
pub(super) trait Finders: Sync {
    /// Links with a scheme or without in a text.
    fn links(&self, text: &str) -> Vec<Range<usize>>;
    /// Whether digits and the signs between them are a telephone number, of any country or with a plus.
    fn dialable(&self, number: &str) -> Dialable;
}

/// The libraries in use: `linkify`, and a port of Google's libphonenumber.
pub(super) struct Libraries;

static LINKS: LazyLock<LinkFinder> = LazyLock::new(|| {
    let mut finder = LinkFinder::new();
    finder.kinds(&[LinkKind::Url]).url_must_have_scheme(false).url_can_be_iri(true);
    finder
});

/// Where marketplaces have most of their people. A number without a country is tried in each.
const REGIONS: [Region; 58] = [
    Region::US,
    Region::GB,
    Region::IN,
    Region::PK,
    Region::BD,
    Region::PH,
    Region::UA,
    Region::RU,
    Region::PL,
    Region::DE,
    Region::FR,
    Region::ES,
    Region::IT,
    Region::PT,
    Region::BR,
    Region::MX,
    Region::AR,
    Region::CO,
    Region::CL,
    Region::PE,
    Region::VE,
    Region::EC,
    Region::CN,
    Region::HK,
    Region::TW,
    Region::JP,
    Region::KR,
    Region::VN,
    Region::TH,
    Region::ID,
    Region::MY,
    Region::SG,
    Region::AU,
    Region::NZ,
    Region::ZA,
    Region::NG,
    Region::KE,
    Region::EG,
    Region::MA,
    Region::TR,
    Region::IL,
    Region::SA,
    Region::AE,
    Region::IR,
    Region::GR,
    Region::RO,
    Region::BG,
    Region::RS,
    Region::HU,
    Region::CZ,
    Region::SK,
    Region::AT,
    Region::CH,
    Region::NL,
    Region::BE,
    Region::SE,
    Region::NO,
    Region::DK,
];

impl Finders for Libraries {
    fn links(&self, text: &str) -> Vec<Range<usize>> {
        LINKS.links(text).map(|link| link.start()..link.end()).collect()
    }

    fn dialable(&self, number: &str) -> Dialable {
        if number.starts_with('+') {
            let valid = PhoneNumber::parse(number, None).is_ok_and(|number| number.is_valid());
            return if valid { Dialable::AsWritten } else { Dialable::No };
        }
        let found = |leniency| {
            number.phone_number_matcher_builder().regions(REGIONS).leniency(leniency).build().next().is_some()
        };
        if found(Leniency::StrictGrouping) {
            Dialable::AsWritten
        } else if found(Leniency::Valid) {
            Dialable::Valid
        } else {
            Dialable::No
        }
    }
}
