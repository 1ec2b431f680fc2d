//! Close codes of a socket.
//!
//! 4000 to 4499: come back after a random wait and resume with the cursors. 4500 to 4999: do not come back before something
//! changed. Codes below 4000 keep the meaning RFC 6455 and its registry give them.

macro_rules! close_codes {
    ($($(#[doc = $doc:literal])* $variant:ident = $code:literal, $reason:literal;)*) => {
        /// Why the server closed a socket.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum CloseCode {
            $($(#[doc = $doc])* $variant,)*
        }

        impl CloseCode {
            /// Every code, in rising order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The number on the wire.
            pub fn code(self) -> u16 {
                match self { $(Self::$variant => $code,)* }
            }

            /// The word in the close frame, the log and the metrics.
            pub fn reason(self) -> &'static str {
                match self { $(Self::$variant => $reason,)* }
            }

            /// What it means, in one line.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc,)*).trim_ascii(),)* }
            }
        }
    };
}

close_codes! {
    /// The client closed first.
    Normal = 1000, "normal";
    /// The bytes were not WebSocket. Mend the client.
    ProtocolError = 1002, "protocol_error";
    /// A binary frame. Mend the client.
    Unsupported = 1003, "unsupported";
    /// Text that is not UTF-8. Mend the client.
    InvalidData = 1007, "invalid_data";
    /// A frame above the limit. Come back, do not send that frame again.
    TooBig = 1009, "too_big";
    /// The server failed. Come back and resume.
    Internal = 1011, "internal";
    /// The server restarts. Come back and resume.
    Restart = 1012, "restart";
    /// The server is full. Come back later.
    TryAgainLater = 1013, "try_again_later";
    /// No `hello` within 5 s. Come back and say it at once.
    HelloTimeout = 4000, "hello_timeout";
    /// The token ended. Come back with a new one.
    TokenExpired = 4001, "token_expired";
    /// Nothing came from the client for 60 s. Come back and resume.
    HeartbeatLost = 4003, "heartbeat_lost";
    /// The client reads too slowly. Come back and resume.
    Slow = 4008, "slow";
    /// Too much within too short a time: 50 control frames or 5,000 frames (as the operator sets it) within 10 s, or 200 commands or
    /// requests within a minute that were refused for their rate. Come back, slower.
    RateLimited = 4029, "rate_limited";
    /// Ten broken frames within a minute, a frame out of turn (anything before `hello`, a second `hello`), a `hello` that cannot be
    /// read, names too many rooms or one of them twice, a frame or message that was begun and not finished within 15 s, or 100 empty
    /// pieces of messages within 10 s. Mend the client.
    Malformed = 4500, "malformed";
    /// The token is not valid. Get another one first.
    BadToken = 4501, "bad_token";
    /// The token was taken back. Sign in again first.
    Revoked = 4502, "revoked";
    /// The token is valid, and may not open a socket. Use HTTP.
    Forbidden = 4503, "forbidden";
    /// A newer socket of the same person took this one's place. Come back only when that person asks for it here.
    Replaced = 4504, "replaced";
}

impl CloseCode {
    /// Whether a client comes back by itself, after a random wait, and resumes. From 4500 on something has to change first.
    pub fn comes_back(self) -> bool {
        matches!(self.code(), 1009..=1013 | 4000..=4499)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_our_own_says_by_its_range_whether_to_come_back() {
        for code in CloseCode::ALL.iter().filter(|code| code.code() >= 4000) {
            let stays_away = matches!(
                code,
                CloseCode::Malformed
                    | CloseCode::BadToken
                    | CloseCode::Revoked
                    | CloseCode::Forbidden
                    | CloseCode::Replaced
            );
            assert_eq!(code.code() >= 4500, stays_away, "{code:?}");
        }
        assert!(CloseCode::ALL.windows(2).all(|pair| pair[0].code() < pair[1].code()));
    }
}
