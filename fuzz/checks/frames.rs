//! Frames: any text, as a client and as a server may send it.

use anteroom_protocol::client;
use anteroom_protocol::error::{ErrorBody, ErrorCode};
use anteroom_protocol::log::{Hash, verify_chain};
use anteroom_protocol::server::{self, ServerFrame};

/// Bytes of the answer to what cannot be read, however long that was.
const ANSWER_BYTES: usize = 4 * 1024;

/// What decodes is written as a text that decodes to the same. What does not is answered with a few words.
pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    from_a_client(text);
    from_a_server(text);
}

fn from_a_client(text: &str) {
    match client::decode(text) {
        Ok((id, frame)) => {
            let written = frame.encode(id.as_deref());
            let (same_id, same) = client::decode(&written)
                .unwrap_or_else(|error| panic!("{text} was written as {written}: {error:?}"));
            assert_eq!(same_id, id, "{text} was written as {written}");
            assert_eq!(same, frame, "{text} was written as {written}");
            assert_eq!(same.encode(id.as_deref()), written);
        }
        Err(error) => {
            let codes = [ErrorCode::BadFrame, ErrorCode::UnknownType, ErrorCode::BadRequest];
            assert!(codes.contains(&error.code), "{error:?}");
            let answer = ServerFrame::Error { id: error.id, error: ErrorBody::new(error.code, error.detail) };
            let written = answer.encode();
            assert!(written.len() <= ANSWER_BYTES, "{} bytes: {written}", written.len());
            assert_eq!(server::decode(&written).expect("an error is a frame"), answer);
        }
    }
}

fn from_a_server(text: &str) {
    let Ok(frame) = server::decode(text) else { return };
    let written = frame.encode();
    let same =
        server::decode(&written).unwrap_or_else(|error| panic!("{text} was written as {written}: {error}"));
    assert_eq!(same, frame, "{text} was written as {written}");
    assert_eq!(same.encode(), written);
    if let ServerFrame::Entry(entry) = frame {
        let before = (entry.seq.wrapping_sub(1), Hash::GENESIS);
        // Nobody can choose an entry's content and its hash; that it is an error and no panic is all there is to see.
        let _ = verify_chain(&entry.room.to_string(), before, &[entry]);
    }
}
