//! What a freelancer takes home never leaves the server towards a client. Figures that stand for nothing else are planted in whole lives of
//! candidacies; then all that the client's side can get hold of is searched for them: every frame, answer, header and refusal, asked for
//! by the protocol's own tables. On that side sit the client, one of the team, and people who were on the other side before. The same walk
//! from the freelancer's seat finds each of them, and broken projections are found out.

mod broken;
mod client;
mod life;
mod people;
mod planted;
mod seat;
mod walk;

use anteroom_protocol::id::RoomRef;

use self::life::Life;

/// Reads the salts of all private parts from the freelancer's own proofs.
async fn salts(life: &mut Life) {
    let mut rooms: Vec<RoomRef> = life.cases.iter().filter_map(|(_, case)| case.room).collect();
    rooms.push(RoomRef::Inbox);
    for room in rooms {
        for entry in life.scene.freelancer.log(room).await {
            if let Some(salt) = entry.proof.and_then(|proof| proof.private_salt) {
                life.planted.salt(&salt, format!("{} {} in {room}", entry.kind, entry.seq));
            }
        }
    }
}
