//! What a proxy did, in numbers.

/// All that a proxy has done since it was started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections that were accepted and led to the server.
    pub connections: u64,
    /// Of these, the ones that are there now.
    pub open: u64,
    /// Connections that were reset instead of being accepted ([`Door::Slammed`](super::Door::Slammed)). Those that found nobody
    /// listening are not known to anybody.
    pub refused: u64,
    /// Connections that were reset because the server could not be reached.
    pub unreachable: u64,
    /// Bytes that have reached the server.
    pub to_server: u64,
    /// Bytes that have reached the client.
    pub to_client: u64,
    /// Bytes that have reached nobody.
    pub vanished: u64,
    /// Bits that were turned.
    pub flipped: u64,
    /// Replies that were lost on purpose.
    pub lost_replies: u64,
    /// Directions that were ended on purpose.
    pub half_closed: u64,
    /// Connections that were reset by the proxy, for whatever reason of its own. One that a peer has reset is passed on and not counted.
    pub resets: u64,
}
