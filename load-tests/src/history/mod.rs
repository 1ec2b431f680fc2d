//! The history of a run, and its judge.
//!
//! Every simulated client writes down what it did and what it was told, one record after another ([`record`]); so do a fresh reader of
//! every room after the run, whoever plants faults, and a dump of the database if there is one. [`check`] holds these logs against what
//! the wire promises and gives a [`verdict`]: valid, invalid, or unknown when too little happened to say.
//!
//! - [`record`]: what a log holds. [`mod@line`]: the same as lines of JSON. [`files`]: logs as files.
//! - [`recorder`]: what a scenario writes with while it runs. [`scribe`]: writes down by itself what crosses a client's sockets.
//! - [`trial`]: a whole run, from its first device to the verdict.
//! - [`check`]: pure. Records in, verdict out; it never asks a server.
//!
//! What never lives here: bodies of messages. A digest of 16 bytes stands for each.

pub mod check;
pub mod files;
pub mod line;
pub mod record;
pub mod recorder;
pub mod scribe;
pub mod trial;
pub mod verdict;

use record::{Names, Record};

/// The logs of one run, which can be read more than once.
pub trait History {
    /// The names its records refer to, as far as they are known before it is read.
    fn names(&self) -> Names;

    /// How many parts it has. A part holds whole logs, one after the other.
    fn parts(&self) -> usize;

    /// Shows every record of one part, in order.
    ///
    /// # Errors
    /// The part is damaged, in words. What was shown before is as it was written.
    fn visit(&self, part: usize, names: &mut Names, see: &mut dyn FnMut(&Record)) -> Result<(), String>;
}

/// Logs in memory.
#[derive(Debug, Clone, Default)]
pub struct Logs {
    /// The names the records refer to.
    pub names: Names,
    /// Each log from its `start` to its `end`.
    pub logs: Vec<Vec<Record>>,
}

impl History for Logs {
    fn names(&self) -> Names {
        self.names.clone()
    }

    fn parts(&self) -> usize {
        self.logs.len()
    }

    fn visit(&self, part: usize, _names: &mut Names, see: &mut dyn FnMut(&Record)) -> Result<(), String> {
        self.logs.get(part).into_iter().flatten().for_each(see);
        Ok(())
    }
}
