//! The port to the other nodes: wakes them with what was committed here. The bus is a hint: a publication may be lost, late, doubled
//! or forged, and no entry is lost for it, because receivers go by the numbers and read the log.
//!
//! This node's own readers never wait for the bus: they are served from the hub right after the commit.

pub mod local;

use crate::store::Appended;

/// Tells the other nodes.
pub trait Bus: Send + Sync + 'static {
    /// Tells them of these entries. Never blocks and never fails: what cannot be told now is found by the others.
    fn announce(&self, appended: &[Appended]);
}
