//! Close codes of a socket.
//!
//! 4000 to 4499: come back after a random wait and resume with the cursors. 4500 to 4999: do not come back before something
//! changed. Codes below 4000 keep the meaning RFC 6455 and its registry give them.

/// Why the server closed a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CloseCode {
    /// 1000: the client closed.
    Normal,
    /// 1002: the bytes were not WebSocket.
    ProtocolError,
    /// 1003: a binary frame.
    Unsupported,
    /// 1007: text that is not UTF-8.
    InvalidData,
    /// 1009: a frame above the limit. Come back, do not send that frame again.
    TooBig,
    /// 1011: the server failed. Come back.
    Internal,
    /// 1012: the server restarts. Come back.
    Restart,
    /// 1013: the server is full. Come back later.
    TryAgainLater,
    /// 4000: no `hello` within 5 s.
    HelloTimeout,
    /// 4001: the token ended. Come back with a new one.
    TokenExpired,
    /// 4003: nothing came from the client for 60 s.
    HeartbeatLost,
    /// 4008: the client reads too slowly. Come back and resume.
    Slow,
    /// 4029: too much within too short a time: 50 control frames or 5,000 frames (as the operator sets it) within 10 s, or 200 commands
    /// within a minute that were refused for their rate. Come back, slower.
    RateLimited,
    /// 4500: ten broken frames within a minute, a frame out of turn (anything before `hello`, a second `hello`), a `hello` that
    /// cannot be read, names too many rooms or one of them twice, a frame or message that was begun and not finished within 15 s, or
    /// 100 empty pieces of messages within 10 s.
    Malformed,
    /// 4501: the token is not valid.
    BadToken,
    /// 4502: the token was taken back. Sign in again.
    Revoked,
    /// 4503: the token is valid, and may not open a socket.
    Forbidden,
    /// 4504: a newer socket of the same person took this one's place.
    Replaced,
}

impl CloseCode {
    /// Every code, in rising order.
    pub const ALL: [Self; 18] = [
        Self::Normal,
        Self::ProtocolError,
        Self::Unsupported,
        Self::InvalidData,
        Self::TooBig,
        Self::Internal,
        Self::Restart,
        Self::TryAgainLater,
        Self::HelloTimeout,
        Self::TokenExpired,
        Self::HeartbeatLost,
        Self::Slow,
        Self::RateLimited,
        Self::Malformed,
        Self::BadToken,
        Self::Revoked,
        Self::Forbidden,
        Self::Replaced,
    ];

    /// The number on the wire.
    pub fn code(self) -> u16 {
        match self {
            Self::Normal => 1000,
            Self::ProtocolError => 1002,
            Self::Unsupported => 1003,
            Self::InvalidData => 1007,
            Self::TooBig => 1009,
            Self::Internal => 1011,
            Self::Restart => 1012,
            Self::TryAgainLater => 1013,
            Self::HelloTimeout => 4000,
            Self::TokenExpired => 4001,
            Self::HeartbeatLost => 4003,
            Self::Slow => 4008,
            Self::RateLimited => 4029,
            Self::Malformed => 4500,
            Self::BadToken => 4501,
            Self::Revoked => 4502,
            Self::Forbidden => 4503,
            Self::Replaced => 4504,
        }
    }

    /// The word in the close frame, the log and the metrics.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::ProtocolError => "protocol_error",
            Self::Unsupported => "unsupported",
            Self::InvalidData => "invalid_data",
            Self::TooBig => "too_big",
            Self::Internal => "internal",
            Self::Restart => "restart",
            Self::TryAgainLater => "try_again_later",
            Self::HelloTimeout => "hello_timeout",
            Self::TokenExpired => "token_expired",
            Self::HeartbeatLost => "heartbeat_lost",
            Self::Slow => "slow",
            Self::RateLimited => "rate_limited",
            Self::Malformed => "malformed",
            Self::BadToken => "bad_token",
            Self::Revoked => "revoked",
            Self::Forbidden => "forbidden",
            Self::Replaced => "replaced",
        }
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
