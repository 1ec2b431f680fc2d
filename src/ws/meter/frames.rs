//! Where frames begin and end in the bytes of a client: no more of RFC 6455 than that takes.

/// The head of a frame, as far as it matters here (RFC 6455, 5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) first: u8,
    pub(super) length: u64,
}

impl Head {
    fn is_final(self) -> bool {
        self.first & 0x80 != 0
    }

    /// A ping, a pong or a close.
    pub(super) fn is_control(self) -> bool {
        self.first & 0x08 != 0
    }

    /// A piece of a message without a byte in it.
    pub(super) fn is_empty_piece(self) -> bool {
        let continues = self.first & 0x0f == 0;
        !self.is_control() && self.length == 0 && (continues || !self.is_final())
    }
}

/// Where in a frame the bytes so far have come to.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Frames {
    stage: Stage,
    /// A message has begun whose last piece has not.
    in_pieces: bool,
}

#[derive(Debug, Clone, Copy, Default)]
enum Stage {
    #[default]
    Between,
    /// The first byte was read, the second says how long the frame is.
    Begun { first: u8 },
    /// The length takes more bytes.
    Length { first: u8, masked: bool, missing: u8, length: u64 },
    /// Bytes to be skipped: the mask's, then the payload's.
    Body { missing: u64 },
}

impl Frames {
    /// Whether nothing has begun that is to be finished.
    pub(super) fn at_rest(self) -> bool {
        matches!(self.stage, Stage::Between) && !self.in_pieces
    }

    /// Reads on, and tells of each head. True: everything that had begun was finished on the way.
    pub(super) fn advance(&mut self, mut bytes: &[u8], mut tell: impl FnMut(Head)) -> bool {
        let mut rested = false;
        while let Some((&byte, rest)) = bytes.split_first() {
            self.stage = match self.stage {
                Stage::Between => Stage::Begun { first: byte },
                Stage::Begun { first } => {
                    let masked = byte & 0x80 != 0;
                    match byte & 0x7f {
                        126 => Stage::Length { first, masked, missing: 2, length: 0 },
                        127 => Stage::Length { first, masked, missing: 8, length: 0 },
                        short => self.head(Head { first, length: short.into() }, masked, &mut tell),
                    }
                }
                Stage::Length { first, masked, missing, length } => {
                    let length = length << 8 | u64::from(byte);
                    match missing {
                        0 | 1 => self.head(Head { first, length }, masked, &mut tell),
                        more => Stage::Length { first, masked, missing: more - 1, length },
                    }
                }
                Stage::Body { missing } => {
                    let here = usize::try_from(missing).unwrap_or(usize::MAX).min(bytes.len());
                    bytes = bytes.get(here..).unwrap_or_default();
                    self.stage = Stage::body(missing - here as u64);
                    rested |= self.at_rest();
                    continue;
                }
            };
            rested |= self.at_rest();
            bytes = rest;
        }
        rested
    }

    fn head(&mut self, head: Head, masked: bool, tell: &mut impl FnMut(Head)) -> Stage {
        tell(head);
        if !head.is_control() {
            self.in_pieces = !head.is_final();
        }
        Stage::body(head.length.saturating_add(if masked { 4 } else { 0 }))
    }
}

impl Stage {
    fn body(missing: u64) -> Self {
        if missing == 0 { Self::Between } else { Self::Body { missing } }
    }
}

#[cfg(test)]
pub(super) use self::tests::bytes;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A frame with this head.
    pub(in crate::ws::meter) fn bytes(head: Head) -> Vec<u8> {
        let mut bytes = vec![head.first];
        match head.length {
            short @ 0..126 => bytes.push(0x80 | u8::try_from(short).expect("short")),
            long @ 126..0x1_0000 => {
                bytes.push(0x80 | 126);
                bytes.extend(u16::try_from(long).expect("16 bits").to_be_bytes());
            }
            longer => {
                bytes.push(0x80 | 127);
                bytes.extend(longer.to_be_bytes());
            }
        }
        // A payload that looks like heads.
        bytes.extend(std::iter::repeat_n(0x89, 4 + usize::try_from(head.length).expect("small")));
        bytes
    }

    fn heads() -> impl Strategy<Value = Vec<Head>> {
        let length = prop_oneof![0_u64..3, 120_u64..130, 65_530_u64..65_540];
        let first = prop_oneof![Just(0x81_u8), Just(0x01), Just(0x00), Just(0x80), Just(0x89), Just(0x8a)];
        proptest::collection::vec((first, length).prop_map(|(first, length)| Head { first, length }), 0..8)
    }

    proptest! {
        /// TCP cuts wherever it likes.
        #[test]
        fn every_frame_is_seen_once_however_the_bytes_are_cut(
            heads in heads(),
            cuts in proptest::collection::vec(1_usize..300, 1..50),
        ) {
            let all: Vec<u8> = heads.iter().copied().flat_map(bytes).collect();
            let (mut frames, mut seen, mut rest) = (Frames::default(), Vec::new(), all.as_slice());
            for size in cuts.iter().cycle() {
                if rest.is_empty() { break }
                let (piece, left) = rest.split_at((*size).min(rest.len()));
                frames.advance(piece, |head| seen.push(head));
                rest = left;
            }
            prop_assert_eq!(seen, heads);
            prop_assert!(matches!(frames.stage, Stage::Between));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..500)) {
            Frames::default().advance(&bytes, |_| {});
        }
    }
}
