//! A server with a talk in it, for what is asked of a database. Nothing changes it once it is there.

#![allow(dead_code, reason = "each target uses a part of this")]

use std::sync::Arc;

use anteroom::app::dispatch::perform;
use anteroom::app::{App, demo, invitation, page, room};
use anteroom::config::{Config, Limits};
use anteroom::domain::actor::{Actor, Scope};
use anteroom::drain::Drain;
use anteroom::server::Server;
use anteroom::store::Range;
use anteroom_protocol::command::Command;
use anteroom_protocol::entry::EntryFrame;
use anteroom_protocol::id::{ClientId, RoomRef};
use anteroom_protocol::invitation::InvitationAccept;
use anteroom_protocol::message::{MessageEdit, MessagePost, MessageRedact};
use anteroom_protocol::terms::Amounts;
use axum::Router;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// What is said in the room.
const TALK: [&str; 6] = [
    "Grüße aus dem Café: a naïve question",
    "say \"hi\" NEAR(you, 2) OR log1 AND scope : *",
    "日本語のメッセージ",
    "100% of the workshop's bicycles; -- DROP TABLE search",
    "x",
    "the last word",
];

/// The server, and the runtime it lives on.
pub(crate) struct World {
    pub(crate) runtime: Runtime,
    pub(crate) server: Server,
    pub(crate) routes: Router,
    /// The freelancer of the demo, who reads.
    pub(crate) reader: Actor,
    pub(crate) token: String,
    pub(crate) room: RoomRef,
    /// All entries of the room.
    pub(crate) entries: Vec<EntryFrame>,
    _directory: TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let directory = tempfile::tempdir().expect("a directory");
        let mut config = Config {
            listen: "127.0.0.1:0".parse().expect("an address"),
            data_dir: directory.path().to_owned(),
            ..Config::default()
        };
        let Limits { commands_per_second, commands_burst, requests_per_second, requests_burst, .. } =
            &mut config.limits;
        for rate in [commands_per_second, commands_burst, requests_per_second, requests_burst] {
            *rate = 1_000_000;
        }
        let (server, room, entries) = runtime.block_on(async {
            let server = Server::start(&config).await.expect("it starts");
            let room = talk(&server.app).await;
            while server.app.store.index(256).await.expect("an index") {}
            let stretch = (Range::After(0), 200);
            let page = room::entries(&server.app, &actor(demo::FREELANCER), room, stretch, false).await;
            (server, room, page.expect("entries").items)
        });
        let reader = actor(demo::FREELANCER);
        let ten_years = 10 * 365 * 24 * 60 * 60;
        let token = server.app.identity.issue(&reader, server.app.clock.now(), ten_years).expect("a token");
        let routes = anteroom::http::router(server.app.clone(), &[], Arc::new(Drain::default()));
        Self { runtime, server, routes, reader, token, room, entries, _directory: directory }
    }

    /// The number of the room's last entry.
    pub(crate) fn head(&self) -> u64 {
        self.entries.last().map_or(0, |entry| entry.seq)
    }
}

fn actor(name: &str) -> Actor {
    Actor { user: name.parse().expect("an id"), scope: Scope::User }
}

async fn talk(app: &App) -> RoomRef {
    let [client, freelancer] = [demo::CLIENT, demo::FREELANCER].map(actor);
    let invited = invitation::list(app, &freelancer, None, page(None, None)).await.expect("invitations");
    let invitation = invited.first().expect("the demo's").id;
    let accept = InvitationAccept {
        invitation,
        message: "With pleasure".into(),
        terms: None,
        amounts: Amounts::Charged,
    };
    act(app, &freelancer, 1, Command::InvitationAccept(accept)).await;
    let rooms = room::list(app, &freelancer, page(None, None)).await.expect("rooms");
    let room = rooms.first().expect("the one that opened").room;
    for (nth, body) in (2..).zip(TALK) {
        let post = MessagePost { room, body: body.into() };
        act(app, &client, nth, Command::MessagePost(post)).await;
    }
    let view = room::get(app, &client, room).await.expect("the room");
    let edit = MessageEdit { room, seq: view.head, body: "the very last word".into() };
    act(app, &client, 100, Command::MessageEdit(edit)).await;
    let redact = MessageRedact { room, seq: view.head - 1, reason: "nothing in it".into() };
    act(app, &client, 101, Command::MessageRedact(redact)).await;
    room
}

async fn act(app: &App, actor: &Actor, nth: u128, command: Command) {
    let client_id = ClientId(uuid::Uuid::from_u128(nth));
    perform(app, actor, client_id.into(), command, None).outcome.await.expect("done");
}
