//! What tests of the checker share.

pub(crate) mod model;
