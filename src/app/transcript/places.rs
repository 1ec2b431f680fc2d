//! How many transcripts are taken at a time. Each reads a whole log, and lasts as long as its reader likes to take.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anteroom_protocol::id::UserId;

/// Transcripts of one person at a time.
const EACH: usize = 2;

/// The places that there are for transcripts. Whoever takes none takes no memory.
#[derive(Debug)]
pub struct Places {
    taken: Mutex<HashMap<UserId, usize>>,
    all: usize,
}

/// One of them. Dropping it gives it back.
#[derive(Debug)]
pub struct Place {
    places: Arc<Places>,
    user: UserId,
}

impl Places {
    /// This many, all of them free.
    pub fn new(all: usize) -> Arc<Self> {
        Arc::new(Self { taken: Mutex::default(), all })
    }

    /// A place for this person; `None`: all are taken, or as many as one person may have.
    pub fn take(self: &Arc<Self>, user: &UserId) -> Option<Place> {
        let mut taken = self.lock();
        let own = taken.get(user).copied().unwrap_or(0);
        if own >= EACH || taken.values().sum::<usize>() >= self.all {
            return None;
        }
        taken.insert(user.clone(), own + 1);
        Some(Place { places: self.clone(), user: user.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<UserId, usize>> {
        // Nothing under this lock can panic half-way through a change.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        match taken.get_mut(&self.user) {
            Some(own) if *own > 1 => *own -= 1,
            Some(_) | None => drop(taken.remove(&self.user)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_has_more_than_two_places_and_all_together_no_more_than_there_are() {
        let places = Places::new(3);
        let user = |name: &str| name.parse::<UserId>().expect("an id");
        let (clara, felix) = (user("clara"), user("felix"));
        let first = places.take(&clara).expect("free");
        let second = places.take(&clara).expect("free");
        assert!(places.take(&clara).is_none(), "a third of one person's");
        let third = places.take(&felix).expect("free");
        assert!(places.take(&felix).is_none(), "there are three");
        drop(first);
        let fourth = places.take(&felix).expect("free again");
        drop((second, third, fourth));
        assert!(places.lock().is_empty(), "nothing is remembered of whoever takes none");
    }
}
