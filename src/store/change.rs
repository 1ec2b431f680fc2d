//! Places in the order of all commits, and what has grown since one.

use anteroom_protocol::room::RoomChange;

/// A place in the order of all commits. Its adapter alone knows what it says, which is how much is kept in all logs together: no client
/// is ever shown one ([`crate::app::cursor`]). Clients keep them for long, so an adapter reads those of its earlier versions too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    bytes: [u8; Self::MAX],
    len: u8,
}

impl Position {
    /// Bytes of the longest one.
    pub const MAX: usize = 32;

    /// A place of these bytes; what is beyond [`Position::MAX`] of them is left out.
    pub const fn new(place: &[u8]) -> Self {
        let mut bytes = [0; Self::MAX];
        let mut len = 0;
        while len < place.len() && len < Self::MAX {
            bytes[len] = place[len];
            len += 1;
        }
        Self { bytes, len: len as u8 }
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

/// Which of a reader's logs have grown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Growth {
    /// They, those that grew first before the others.
    pub items: Vec<RoomChange>,
    /// The place behind what is told here.
    pub position: Position,
    /// Whether there are more, from there on.
    pub has_more: bool,
    /// The place that was asked about is not of this database: these are all logs.
    pub reset: bool,
}
