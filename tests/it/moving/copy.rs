//! `anteroom copy`: the embedded database in PostgreSQL, to the last value, or nothing of it.

use std::collections::BTreeMap;
use std::path::Path;

use anteroom::domain::webhook::Target;
use anteroom::store::moving::{Kind, TABLES};
use anteroom::store::postgres::PostgresStore;
use anteroom::store::{Begin, Lane, PageSize, Position, Settled, Store, Webhooks as _};
use anteroom_load_tests::client::{after, new_client_id};
use anteroom_protocol::event::EventAudience;
use anteroom_protocol::id::WebhookId;
use anteroom_protocol::room::JoinMode;
use anteroom_protocol::time::Time;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgConnection, SqliteConnection};
use uuid::Uuid;

use super::{Served, WORDS, lively, modes, transcript};
use crate::cli::{fails, prints, text};
use crate::store::sqlite;
use crate::store::world::World;
use crate::support::postgres::Schema;
use crate::support::process::{command, run};
use crate::support::{id, soon};

/// A directory with a database that an earlier version wrote, brought up to date.
async fn frozen() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/conduct-0005.db");
    std::fs::copy(fixture, directory.path().join("anteroom.db")).expect("copied");
    prints(&["migrate", "--data-dir", text(directory.path())], &[]).await;
    directory
}

fn source(directory: &Path) -> String {
    format!("sqlite://{}", directory.join("anteroom.db").display())
}

async fn embedded(directory: &Path) -> SqliteConnection {
    let path = directory.join("anteroom.db");
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(false);
    options.connect().await.expect("opened")
}

async fn execute(connection: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.expect("done");
}

/// How many rows all tables of a schema have that are copied.
async fn rows(connection: &mut PgConnection) -> i64 {
    let counts: Vec<String> =
        TABLES.iter().map(|table| format!("(SELECT count(*) FROM {})", table.name)).collect();
    let sql = format!("SELECT {}", counts.join(" + "));
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(connection).await.expect("counted")
}

/// A table's rows as text, in an order of their own.
type Content = BTreeMap<&'static str, Vec<Vec<Option<String>>>>;

async fn content_embedded(connection: &mut SqliteConnection) -> Content {
    let mut content = Content::new();
    for table in TABLES {
        let columns = table.columns.iter().map(|(name, kind)| match kind {
            Kind::Id | Kind::Bytes => {
                format!(r#"CASE WHEN "{name}" IS NOT NULL THEN lower(hex("{name}")) END"#)
            }
            Kind::Text | Kind::Number | Kind::Flag => format!(r#"CAST("{name}" AS TEXT)"#),
        });
        let sql = format!("SELECT {} FROM {}", columns.collect::<Vec<_>>().join(", "), table.name);
        let found = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut *connection).await.expect("rows");
        content.insert(table.name, sorted(found.iter().map(texts).collect()));
    }
    content
}

async fn content_shared(connection: &mut PgConnection) -> Content {
    let mut content = Content::new();
    for table in TABLES {
        let columns = table.columns.iter().map(|(name, kind)| match kind {
            Kind::Id => format!(r#"replace(CAST("{name}" AS TEXT), '-', '')"#),
            Kind::Bytes => format!(r#"encode("{name}", 'hex')"#),
            Kind::Flag => format!(r#"CAST(CAST("{name}" AS INTEGER) AS TEXT)"#),
            Kind::Text | Kind::Number => format!(r#"CAST("{name}" AS TEXT)"#),
        });
        let sql = format!("SELECT {} FROM {}", columns.collect::<Vec<_>>().join(", "), table.name);
        let found = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut *connection).await.expect("rows");
        content.insert(table.name, sorted(found.iter().map(texts).collect()));
    }
    content
}

fn texts<R: sqlx::Row>(row: &R) -> Vec<Option<String>>
where
    usize: sqlx::ColumnIndex<R>,
    Option<String>: for<'r> sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
{
    (0..row.len()).map(|at| row.get(at)).collect()
}

fn sorted(mut rows: Vec<Vec<Option<String>>>) -> Vec<Vec<Option<String>>> {
    rows.sort();
    rows
}

#[tokio::test]
async fn a_copy_holds_every_value_and_its_people_go_on_where_they_were() {
    let (directory, schema) = (frozen().await, Schema::fresh());
    let place = directory.path();
    let server = Served::on(place, None).await;
    let (one, other) = (lively(&server, "one").await, lively(&server, "other").await);
    let key = new_client_id();
    let first = server.post_as(key, &one.client, one.room, "said once").await;
    server.finds(&other.client, "Grüße", WORDS).await;
    let (_, welcome) = server.hello(&one.client, Vec::new(), None).await;
    let log = server.log(&one.client, one.room).await;
    let args = ["copy", "--from", &source(place), "--to", &schema.url()];
    let (error, _) = fails(("data_dir_in_use", 3), &args, &[]).await;
    assert!(error.contains("in use by another anteroom process"), "{error}");
    server.stop().await;

    let said = prints(&args, &[]).await;
    assert!(said.starts_with("copied and verified: ") && said.lines().count() == 1, "{said}");
    let (mut was, mut is) = (embedded(place).await, schema.connect().await);
    let content = content_embedded(&mut was).await;
    assert_eq!(content, content_shared(&mut is).await);
    for table in ["reports", "ledger", "keys", "public_keys", "entries", "commands"] {
        assert!(!content[table].is_empty(), "{table} is put to the test");
    }
    let entries = content["entries"].len();
    assert!(said.contains(&format!(" {entries} entries")), "{said}");
    for room in content["logs"].iter().filter_map(|log| log[1].as_deref()) {
        let before = transcript(place, None, room).await;
        assert_eq!(before, transcript(place, Some(&schema), room).await);
        assert!(before.len() > 2, "entries between header and footer");
    }

    let server = Served::on(place, Some(&schema)).await;
    let cursors = vec![after(&log[2]), after(log.last().expect("an entry"))];
    for (cursor, mode) in cursors.into_iter().zip([JoinMode::Resumed, JoinMode::Live]) {
        let (_, back) = server.hello(&one.client, vec![cursor], welcome.changes_cursor.as_deref()).await;
        assert_eq!((modes(&back), back.changes_reset), (vec![mode], true));
    }
    let again = server.post_as(key, &one.client, one.room, "said once").await;
    assert_eq!((again.seq, again.hash, again.duplicate), (first.seq, first.hash, true));
    let next = server.post(&one.freelancer, one.room, "goes on").await;
    assert_eq!((next.seq, next.duplicate), (first.seq + 1, false));
    assert_eq!(server.log(&one.client, one.room).await.len() as u64, next.seq);
    let third = server.marketplace.open_room("third").await.expect("a log behind those that were copied");
    assert_eq!(server.log(&third.client, third.room).await[0].seq, 1);
    // Made again from the log: what was redacted before is not among it.
    server.finds(&other.client, "Grüße", WORDS).await;
}

#[tokio::test]
async fn every_table_and_column_of_both_databases_is_copied() {
    let (directory, schema) = (frozen().await, Schema::fresh());
    prints(&["migrate"], &[("ANTEROOM_DATABASE__URL", &schema.url())]).await;
    let mut copied: Vec<(String, String)> = TABLES
        .iter()
        .flat_map(|table| table.columns.iter().map(|(column, _)| (table.name.into(), (*column).into())))
        .collect();
    copied.sort();
    let made_again = ["indexed", "_sqlx_migrations"];
    let counted = |(table, column): &(String, String)| {
        let of_its_own = match table.as_str() {
            "entries" => ["id", "tx"].contains(&column.as_str()),
            "users" => column == "tx",
            "logs" => column == "version",
            // Whoever worked there is not here.
            "webhooks" | "pushes" => column.starts_with("lease_"),
            // All that was copied has been looked at.
            "push_place" => true,
            name => name.starts_with("search") || name.starts_with("sqlite_") || made_again.contains(&name),
        };
        !of_its_own
    };
    let was: Vec<(String, String)> = sqlx::query_as(
        "SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table'",
    )
    .fetch_all(&mut embedded(directory.path()).await)
    .await
    .expect("columns");
    let is: Vec<(String, String)> = sqlx::query_as(
        "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT) FROM information_schema.columns WHERE table_schema = current_schema()",
    )
    .fetch_all(&mut schema.connect().await)
    .await
    .expect("columns");
    for all in [was, is] {
        let mut all: Vec<_> = all.into_iter().filter(counted).collect();
        all.sort();
        assert_eq!(all, copied);
    }
}

#[tokio::test]
async fn a_target_that_is_used_and_a_source_that_is_not_there_are_refused() {
    let (directory, schema) = (frozen().await, Schema::fresh());
    let (from, to) = (source(directory.path()), schema.url());
    let copy = ["copy", "--from", &from, "--to", &to];
    prints(&copy, &[]).await;
    let mut is = schema.connect().await;
    let before = content_shared(&mut is).await;
    let (error, help) = fails(("database_unusable", 3), &copy, &[]).await;
    assert!(error.contains("`users` has rows") && help.contains("empty database"), "{error}: {help}");
    assert_eq!(before, content_shared(&mut is).await, "it was left alone");

    // On which a server was started once: it has keys of its own.
    let (other, nobody) = (Schema::fresh(), tempfile::tempdir().expect("a directory"));
    Served::on(nobody.path(), Some(&other)).await.stop().await;
    let (error, _) =
        fails(("database_unusable", 3), &["copy", "--from", &from, "--to", &other.url()], &[]).await;
    assert!(error.contains("keys` has rows"), "{error}");

    let empty = Schema::fresh();
    let missing = source(nobody.path());
    let (error, _) =
        fails(("database_unusable", 3), &["copy", "--from", &missing, "--to", &empty.url()], &[]).await;
    assert!(error.contains("there is no database"), "{error}");
    let closed = ["copy", "--from", &from, "--to", "postgres://nobody@127.0.0.1:1/nothing"];
    fails(("database_unreachable", 3), &closed, &[]).await;
    let (_, help) = fails(("configuration_invalid", 2), &["copy", "--from", &from], &[]).await;
    assert!(help.contains("--to") && help.contains("database.url"), "{help}");
    for wrong in [["--from", "/a/path"], ["--from", "sqlite://"], ["--to", "mysql://somewhere"]] {
        assert_eq!(run(&[&["copy"], &wrong[..]].concat(), &[]).await.status.code(), Some(2));
    }
    // As the configuration has them, nobody reads the password along.
    let variables = [("ANTEROOM_DATABASE__URL", &*empty.url())];
    prints(&["copy", "--data-dir", text(directory.path())], &variables).await;
}

/// A target that is brought up to date and has this trigger on a table.
async fn trapped(table: &str, body: &str) -> (Schema, PgConnection) {
    let schema = Schema::fresh();
    prints(&["migrate"], &[("ANTEROOM_DATABASE__URL", &schema.url())]).await;
    let mut connection = schema.connect().await;
    execute(
        &mut connection,
        &format!(
            "CREATE FUNCTION trap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NEW; END $$;
             CREATE TRIGGER trap BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION trap();"
        ),
    )
    .await;
    (schema, connection)
}

#[tokio::test]
async fn what_arrives_otherwise_than_it_left_is_found_and_nothing_is_kept() {
    let directory = frozen().await;
    let from = source(directory.path());
    let cases = [
        ("entries", "NEW.public = replace(NEW.public, 'a', 'b');", "database_damaged", "breaks at entry 1"),
        ("logs", "NEW.seq = NEW.seq + 1;", "database_damaged", "breaks at entry"),
        ("reports", "RETURN NULL;", "database_damaged", "`reports` has 0 rows, and 1 were written"),
        ("keys", "RAISE EXCEPTION 'no more room';", "database_unusable", "no more room"),
    ];
    for (table, body, code, why) in cases {
        let (schema, mut connection) = trapped(table, body).await;
        let (error, help) = fails((code, 3), &["copy", "--from", &from, "--to", &schema.url()], &[]).await;
        assert!(error.contains(why) && !help.is_empty(), "{table}: {error}");
        assert_eq!(rows(&mut connection).await, 0, "{table}");
        execute(&mut connection, &format!("DROP TRIGGER trap ON {table}")).await;
        prints(&["copy", "--from", &from, "--to", &schema.url()], &[]).await;
    }
}

#[tokio::test]
async fn a_copy_that_is_killed_half_way_leaves_its_target_empty() {
    let directory = frozen().await;
    let lock = i64::from(rand::random::<u32>());
    let (schema, mut connection) = trapped("keys", &format!("PERFORM pg_advisory_xact_lock({lock});")).await;
    execute(&mut connection, &format!("SELECT pg_advisory_lock({lock})")).await;
    let mut child = command(&["copy", "--from", &source(directory.path()), "--to", &schema.url()], &[])
        .spawn()
        .expect("a copy");
    let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = CAST($1 AS OID)";
    let waits = async |connection: &mut PgConnection| {
        let count: i64 = sqlx::query_scalar(waiting).bind(lock).fetch_one(connection).await.expect("counted");
        count > 0
    };
    crate::support::soon("a copy that is half-way", async {
        while !waits(&mut connection).await {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    })
    .await;
    child.kill().await.expect("killed");
    execute(&mut connection, &format!("SELECT pg_advisory_unlock({lock}); DROP TRIGGER trap ON keys")).await;
    assert_eq!(rows(&mut connection).await, 0);
    prints(&["copy", "--from", &source(directory.path()), "--to", &schema.url()], &[]).await;
    let server = Served::on(directory.path(), Some(&schema)).await;
    assert!(!server.log(&id("clara"), anteroom_protocol::id::RoomRef::Inbox).await.is_empty());
}

/// What a webhook was not told of yet, log by log.
async fn untold(store: &dyn Store, id: &WebhookId, now: Time) -> BTreeMap<String, Vec<u64>> {
    let round = store.round(id, now, PageSize { entries: 10_000, bytes: usize::MAX }).await;
    let round = round.expect("read").expect("the webhook");
    assert!(!round.has_more && round.due.iter().all(|held| !held.has_more));
    let mut untold: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for told in round.due.into_iter().flat_map(|held| held.entries).chain(round.page) {
        untold.entry(told.entry.log.to_string()).or_default().push(told.entry.seq);
    }
    untold
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_is_told_in_the_other_database_what_it_was_not_told_in_this_one() {
    let file = sqlite::database();
    let path = file.path();
    let world = World::new(file).await;
    let rooms = world.rooms(3).await;
    let id: WebhookId = id("crm");
    let beginning = Begin::After(Position::new(&[0; 32]));
    let target = Target {
        url: "https://market.example/".to_owned(),
        audience: EventAudience::Marketplace,
        types: Vec::new(),
        description: None,
        notify: None,
        paused: false,
    };
    world.store().put_webhook(&id, &target, beginning, world.now()).await.expect("kept");
    for number in 0..30 {
        world.posted("felix", rooms[number * 7 % 3], &number.to_string()).await;
    }
    let (worker, now) = (Uuid::from_u128(1), world.now());
    world.store().claim_webhook(worker, &[], now).await.expect("asked").expect("given");
    let round = world.store().round(&id, now, PageSize { entries: 20, bytes: usize::MAX }).await;
    let round = round.expect("read").expect("there");
    let held = round.page[3].at;
    let lane = Lane::Held { seq: held.seq, attempts: 2, until: now };
    let settled = Settled {
        place: round.page.last().map(|told| told.at),
        lanes: vec![(held.log, lane)],
        ..Settled::default()
    };
    world.store().settle(worker, &id, &settled, world.moment()).await.expect("kept");
    let expected = untold(&**world.store(), &id, now).await;
    assert!(expected.len() > 3 && expected.values().all(|seqs| seqs.is_sorted()), "{expected:?}");
    let _file = world.close();

    let schema = Schema::fresh();
    let from = format!("sqlite://{}", path.display());
    prints(&["copy", "--from", &from, "--to", &schema.url()], &[]).await;
    let there = PostgresStore::open(&schema.settings()).await.expect("opened");
    let is = soon("that the copy is settled", async {
        loop {
            let is = untold(&there, &id, now).await;
            if is == expected {
                return is;
            }
        }
    })
    .await;
    assert_eq!(is, expected);
    assert_eq!(there.claim_webhook(worker, &[], now).await.expect("asked"), Some(id));
}
