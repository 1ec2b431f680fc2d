//! Places in the database as clients hold them: sealed, so that they tell nothing and none can be made up. A place says how many entries
//! there are in all logs together; two of them, how busy the server is.

use anteroom_protocol::log::{from_hex, to_hex};
use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::store::Position;

/// Bytes of what shows that a cursor was sealed here.
const TAG: usize = 16;

/// What a cursor is good for. One is never taken for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// `changes_cursor`, and the cursor of `GET /v1/changes`.
    Changes,
    /// The `next` of a search.
    Search,
    /// The `cursor` of `GET /v1/events`.
    Events,
}

impl Purpose {
    fn aad(self) -> Aad<&'static [u8]> {
        Aad::from(match self {
            Self::Changes => b"changes",
            Self::Search => b"search",
            Self::Events => b"events",
        })
    }
}

/// Seals places and opens cursors. Each time another nonce is drawn: the same place twice would show that nothing was written in between.
/// SIV (RFC 8452), because nonces that are drawn meet where cursors are made by the billion, and all that shows then is whether the two
/// places were the same.
pub struct Cursors(LessSafeKey);

impl Cursors {
    /// With the database's key, so that a cursor outlives the process that made it, and means nothing to another database.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(LessSafeKey::new(UnboundKey::new(&AES_256_GCM_SIV, key).expect("a key of 32 bytes")))
    }

    /// What a client is given.
    pub fn seal(&self, purpose: Purpose, position: Position) -> String {
        let mut place = position.bytes().to_vec();
        let nonce: [u8; NONCE_LEN] = rand::random();
        let tag = self
            .0
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), purpose.aad(), &mut place)
            .expect("a few bytes can be sealed");
        to_hex(&[&nonce, place.as_slice(), tag.as_ref()].concat())
    }

    /// The place in what a client says it was given; `None`: it was not sealed here for this.
    pub fn open(&self, purpose: Purpose, cursor: &str) -> Option<Position> {
        if cursor.len() > 2 * (NONCE_LEN + Position::MAX + TAG) {
            return None;
        }
        let mut bytes = bytes_of(cursor)?;
        let (nonce, sealed) = bytes.split_first_chunk_mut()?;
        let place = self.0.open_in_place(Nonce::assume_unique_for_key(*nonce), purpose.aad(), sealed).ok()?;
        Some(Position::new(place))
    }
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let mut pairs = hex.as_bytes().chunks(2).map(|pair| from_hex::<1>(std::str::from_utf8(pair).ok()?));
    pairs.try_fold(Vec::with_capacity(hex.len() / 2), |mut bytes, byte| {
        bytes.extend(byte?);
        Some(bytes)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::*;

    const ALL: [Purpose; 3] = [Purpose::Changes, Purpose::Search, Purpose::Events];

    proptest! {
        #[test]
        fn a_cursor_is_opened_as_it_was_sealed_by_its_key_and_for_its_purpose_alone(
            key: [u8; 32], other: [u8; 32], place: [u8; 16]
        ) {
            let (ours, others) = (Cursors::new(&key), Cursors::new(&other));
            for (purpose, another) in [(ALL[0], ALL[1]), (ALL[1], ALL[2]), (ALL[2], ALL[0])] {
                let cursor = ours.seal(purpose, Position::new(&place));
                prop_assert_eq!(ours.open(purpose, &cursor), Some(Position::new(&place)));
                prop_assert_eq!(ours.open(another, &cursor), None);
                prop_assert_eq!(others.open(purpose, &cursor).is_some(), key == other);
            }
        }

        #[test]
        fn a_cursor_of_which_any_character_was_changed_added_or_left_out_is_none(
            key: [u8; 32], place: [u8; 16], at: Index, with: char, how in 0..3_u8
        ) {
            let cursors = Cursors::new(&key);
            let cursor = cursors.seal(Purpose::Changes, Position::new(&place));
            let mut changed: Vec<char> = cursor.chars().collect();
            let at = at.index(changed.len());
            match how {
                0 => changed[at] = with,
                1 => changed.insert(at, with),
                _ => drop(changed.remove(at)),
            }
            let changed: String = changed.into_iter().collect();
            prop_assume!(changed != cursor);
            prop_assert_eq!(cursors.open(Purpose::Changes, &changed), None, "{}", changed);
        }

        #[test]
        fn no_text_is_a_cursor(text in any::<String>()) {
            for purpose in ALL {
                prop_assert_eq!(Cursors::new(&[7; 32]).open(purpose, &text), None);
            }
        }
    }

    #[test]
    fn every_other_digit_in_every_place_of_a_cursor_is_found() {
        let cursors = Cursors::new(&[7; 32]);
        let cursor = cursors.seal(Purpose::Search, Position::new(&[0; 16]));
        for (at, digit) in
            (0..cursor.len()).flat_map(|at| "0123456789abcdefABCDEF".chars().map(move |c| (at, c)))
        {
            let mut changed = cursor.clone();
            changed.replace_range(at..=at, digit.encode_utf8(&mut [0; 4]));
            assert_eq!(cursors.open(Purpose::Search, &changed).is_some(), changed == cursor, "{changed}");
        }
    }

    #[test]
    fn two_cursors_of_one_place_have_nothing_in_common_but_their_length() {
        let cursors = Cursors::new(&[7; 32]);
        let [one, two] =
            [[0; 16], [0; 16]].map(|place| cursors.seal(Purpose::Changes, Position::new(&place)));
        let far = cursors.seal(Purpose::Changes, Position::new(&[255; 16]));
        assert_eq!((one.len(), two.len()), (far.len(), far.len()));
        let alike = one.bytes().zip(two.bytes()).filter(|(one, two)| one == two).count();
        // One digit of sixteen is alike by chance; half of 88 are so once in 10^25.
        assert!(alike < one.len() / 2, "{one} {two}");
    }
}
