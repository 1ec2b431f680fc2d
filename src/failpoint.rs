//! Places where a test makes this process fail, as crashes and mistakes of our own would. Only a development build has them, and only when
//! `FAILPOINTS` names a directory: a place fails as many times out of a hundred as the file of its name there says, from when the file is
//! there until it is gone.

use std::path::PathBuf;
use std::sync::LazyLock;

/// A place that can fail.
#[derive(Debug, Clone, Copy)]
pub enum Failpoint {
    /// The process ends between a commit and telling anybody of it.
    DieUntold,
    /// What was committed is told to nobody, neither here nor to the other nodes, and nothing counts it.
    TellNobody,
    /// A publication is counted and never sent.
    LosePublication,
}

impl Failpoint {
    const fn file(self) -> &'static str {
        match self {
            Self::DieUntold => "die_untold",
            Self::TellNobody => "tell_nobody",
            Self::LosePublication => "lose_publication",
        }
    }

    /// Whether it fails this time.
    pub fn fails(self) -> bool {
        cfg!(debug_assertions) && self.is_hit()
    }

    fn is_hit(self) -> bool {
        static DIRECTORY: LazyLock<Option<PathBuf>> =
            LazyLock::new(|| std::env::var_os("FAILPOINTS").map(PathBuf::from));
        let Some(directory) = &*DIRECTORY else { return false };
        let text = std::fs::read_to_string(directory.join(self.file())).unwrap_or_default();
        text.trim().parse().is_ok_and(|percent: u32| rand::random_ratio(percent.min(100), 100))
    }
}
