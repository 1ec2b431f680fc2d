//! The bus of a single node: there is nobody else to tell.

use super::Bus;
use crate::store::Appended;

/// A single node.
#[derive(Debug, Clone, Copy, Default)]
pub struct LocalBus;

impl Bus for LocalBus {
    fn announce(&self, _appended: &[Appended]) {}
}
