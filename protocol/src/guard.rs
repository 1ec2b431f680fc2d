//! Contact information: what the guard finds in a text, and where.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which way to reach somebody a text gives away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContactKind {
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    /// A link that leads to a person.
    Link,
    /// A name in a messenger or a social network.
    Handle,
    /// Any of these, written so that it does not look like one.
    Disguise,
}

impl ContactKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Email, Self::Phone, Self::Link, Self::Handle, Self::Disguise];

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Link => "link",
            Self::Handle => "handle",
            Self::Disguise => "disguise",
        }
    }
}

macro_rules! rules {
    ($($(#[doc = $doc:literal])* $variant:ident = $rule:literal, $kind:ident;)*) => {
        /// The rule by which something is contact information.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        pub enum ContactRule {
            $($(#[doc = $doc])* #[serde(rename = $rule)] $variant,)*
        }

        impl ContactRule {
            /// Every rule.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $rule,)* }
            }

            /// What it finds.
            pub fn kind(self) -> ContactKind {
                match self { $(Self::$variant => ContactKind::$kind,)* }
            }

            /// What it means, in one line.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc,)*).trim_ascii(),)* }
            }
        }
    };
}

rules! {
    /// An e-mail address.
    EmailAddress = "email_address", Email;
    /// A telephone number, national or international.
    PhoneNumber = "phone_number", Phone;
    /// A link into a messenger.
    MessengerLink = "messenger_link", Link;
    /// A link to somebody's page in a social network.
    ProfileLink = "profile_link", Link;
    /// A link to a booking page.
    BookingLink = "booking_link", Link;
    /// A link to a call or a meeting.
    MeetingLink = "meeting_link", Link;
    /// A link to a form in which one leaves a message.
    FormLink = "form_link", Link;
    /// An invitation to shared files.
    FilesLink = "files_link", Link;
    /// A short link, which does not say where it leads.
    ShortLink = "short_link", Link;
    /// A link to somebody's own page.
    PersonalPage = "personal_page", Link;
    /// A name in a messenger or a social network.
    HandleName = "handle_name", Handle;
    /// An e-mail address in disguise.
    DisguisedEmail = "disguised_email", Disguise;
    /// A telephone number in disguise.
    DisguisedPhone = "disguised_phone", Disguise;
    /// A link in disguise.
    DisguisedLink = "disguised_link", Disguise;
    /// A name in a messenger in disguise.
    DisguisedHandle = "disguised_handle", Disguise;
}

/// Contact information in a text that was refused: where it stands and by which rule it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContactSpan {
    /// The field of the command: `message`, `body`, `cover_letter`, `terms.scope` …
    pub field: String,
    /// The number of the Unicode code point it begins with, counted from 0.
    pub start: u32,
    /// The number of the code point behind it.
    pub end: u32,
    /// What it is.
    pub kind: ContactKind,
    /// By which rule.
    pub rule: ContactRule,
    /// The words themselves, as they stand there; cut off when they are long.
    pub text: String,
}
