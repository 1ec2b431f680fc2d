//! What the adapters of both databases share and no database is named in: how values and rows are read, and how a batch is decided.
//! The statements that both databases understand stand in `queries`, those of one alone in its adapter.

pub(super) mod batch;
pub(super) mod case;
pub(super) mod code;
pub(super) mod entry;
pub(super) mod kept;
pub(super) mod standing;
pub(super) mod work;
