//! The bus of a single node: there is nobody else to tell, and nobody to hear.

use anteroom_protocol::id::UserId;

use super::{Bus, Whisper};
use crate::store::Appended;

/// A single node. What it hears is [`super::heard::Hearing::nothing`].
#[derive(Debug, Clone, Copy, Default)]
pub struct LocalBus;

impl Bus for LocalBus {
    fn announce(&self, _appended: &[Appended]) {}

    fn person_changed(&self, _user: &UserId) {}

    fn doubt(&self) {}

    fn whisper(&self, _whisper: &Whisper) {}
}
