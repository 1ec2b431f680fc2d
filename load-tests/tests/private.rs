//! The private servers: they answer, they can be killed, paused and started again, and nothing of them is left.

use std::fs::{self, DirEntry, Permissions};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anteroom_load_tests::machine::is_alive;
use anteroom_load_tests::private::{
    PostgresOptions, PrivateError, PrivatePostgres, PrivateRedis, RedisOptions,
};
use tempfile::TempDir;
use tokio::time::sleep;

/// A slow machine is no failure.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_private_postgres_keeps_what_is_committed_through_a_kill_and_leaves_nothing_behind() {
    let options = PostgresOptions::default().max_connections(17).setting("work_mem", "5MB");
    // Spawned, as a test may want to: what `start` gives has to be `Send`.
    let started = tokio::spawn(async move { PrivatePostgres::start(&options).await });
    let mut postgres = started.await.unwrap().unwrap();
    let (port, pid, data) = (postgres.port(), postgres.pid().unwrap(), postgres.data_directory());
    assert_eq!(postgres.url("a"), format!("postgres://postgres@127.0.0.1:{port}/a"));
    for (setting, value) in [("max_connections", "17"), ("work_mem", "5MB"), ("fsync", "off")] {
        assert_eq!(postgres.query("postgres", &format!("SHOW {setting}")).await.unwrap(), value);
    }

    postgres.create_database("rooms \"one\"").await.unwrap();
    postgres.query("postgres", "CREATE TABLE kept AS SELECT 4711 AS number").await.unwrap();
    let twice = postgres.create_database("rooms \"one\"").await;
    assert!(
        matches!(&twice, Err(PrivateError::Failed { output, .. }) if output.contains("exists")),
        "{twice:?}"
    );

    postgres.kill().await.unwrap();
    assert!(refuses(port) && !is_alive(pid) && postgres.pid().is_none());
    assert!(matches!(postgres.kill().await, Err(PrivateError::NotRunning { .. })));
    assert!(postgres.query("postgres", "SELECT 1").await.is_err());
    postgres.restart().await.unwrap();
    assert_eq!(postgres.port(), port);
    assert_eq!(postgres.query("postgres", "SELECT number FROM kept").await.unwrap(), "4711");

    postgres.stop().await.unwrap();
    assert!(refuses(port));
    postgres.restart().await.unwrap();
    let pid = postgres.pid().unwrap();
    drop(postgres);
    assert!(refuses(port) && !is_alive(pid) && !data.exists());
}

#[tokio::test]
async fn a_paused_postgres_accepts_and_does_not_answer_until_it_may_go_on() {
    let postgres = PrivatePostgres::start(&PostgresOptions::default()).await.unwrap();
    let (port, data) = (postgres.port(), postgres.data_directory());
    postgres.pause().await.unwrap();
    {
        // The answer to an SSLRequest is one byte.
        let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        client.write_all(&[0, 0, 0, 8, 4, 210, 22, 47]).unwrap();
        client.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        assert!(client.read(&mut [0]).is_err());
        postgres.resume().unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        assert_eq!(client.read(&mut [0]).unwrap(), 1);
    }
    postgres.pause().await.unwrap();
    drop(postgres);
    assert!(refuses(port) && !data.exists(), "a pause keeps it from nothing when it is dropped");
}

#[tokio::test]
async fn a_data_directory_may_be_put_back_to_what_it_was() {
    let mut postgres = PrivatePostgres::start(&PostgresOptions::default()).await.unwrap();
    let data = postgres.data_directory();
    let copy = data.with_file_name("copy");
    postgres.query("postgres", "CREATE TABLE early ()").await.unwrap();
    postgres.stop().await.unwrap();
    // Without `-p`: the copy belongs to us, whom PostgreSQL would not take it from.
    assert!(Command::new("cp").arg("-r").arg(&data).arg(&copy).status().unwrap().success());
    postgres.restart().await.unwrap();
    postgres.query("postgres", "CREATE TABLE late ()").await.unwrap();
    postgres.kill().await.unwrap();
    fs::remove_dir_all(&data).unwrap();
    fs::rename(&copy, &data).unwrap();
    postgres.restart().await.unwrap();
    assert_eq!(
        postgres.query("postgres", "SELECT to_regclass('early'), to_regclass('late')").await.unwrap(),
        "early|"
    );
}

#[tokio::test]
async fn a_server_that_cannot_start_is_told_with_its_last_words() {
    let nonsense = PostgresOptions::default().setting("no_such_setting", "1");
    let told = PrivatePostgres::start(&nonsense).await.unwrap_err().to_string();
    assert!(told.contains("ended") && told.contains("no_such_setting"), "{told}");
    let nonsense = RedisOptions::default().setting("no-such-setting", "1");
    let told = PrivateRedis::start(&nonsense).await.unwrap_err().to_string();
    assert!(told.contains("ended") && told.contains("no-such-setting"), "{told}");
}

#[tokio::test]
async fn a_private_redis_is_empty_after_a_kill_and_asks_for_its_password() {
    let mut redis = PrivateRedis::start(&RedisOptions::default()).await.unwrap();
    let (port, pid) = (redis.port(), redis.pid().unwrap());
    assert_eq!(redis.url(), format!("redis://127.0.0.1:{port}/"));
    assert_eq!(ask(port, "SET a 1"), "+OK");
    redis.kill().await.unwrap();
    assert!(refuses(port) && !is_alive(pid));
    redis.restart().await.unwrap();
    assert_eq!(ask(port, "GET a"), "$-1");

    redis.pause().await.unwrap();
    let mut waiting = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    waiting.write_all(b"PING\r\n").unwrap();
    waiting.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    assert!(waiting.read(&mut [0]).is_err());
    redis.resume().unwrap();
    waiting.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(waiting.read(&mut [0]).unwrap(), 1);
    redis.stop().await.unwrap();
    assert!(refuses(port) && redis.pid().is_none());

    let locked = RedisOptions::default().password("secret").setting("maxmemory", "10mb");
    let locked = PrivateRedis::start(&locked).await.unwrap();
    assert_eq!(locked.url(), format!("redis://:secret@127.0.0.1:{}/", locked.port()));
    assert!(ask(locked.port(), "GET a").starts_with("-NOAUTH"));
}

#[test]
fn a_command_finds_both_servers_and_its_code_is_handed_on() {
    let temporary = temporary();
    let script = "echo $ANTEROOM_TEST_POSTGRES $ANTEROOM_TEST_REDIS; exit 7";
    let output = servers(&temporary, script).output().unwrap();
    let (told, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(7), "{errors}");
    assert!(told.starts_with("postgres://postgres@127.0.0.1:"), "{told}");
    assert!(told.contains("/postgres redis://127.0.0.1:"), "{told}");
    assert!(is_empty(temporary.path()));
}

#[tokio::test]
async fn both_servers_end_when_the_process_that_started_them_is_killed() {
    let (mut starter, sheltered) = sheltered();
    starter.kill().unwrap();
    starter.wait().unwrap();
    gone(&sheltered).await;
    // It was nobody's to end but the starter's, who could not.
    Command::new("kill").arg(sheltered.pid.to_string()).status().unwrap();
}

#[tokio::test]
async fn nothing_is_left_of_a_start_that_is_killed_halfway() {
    let temporary = temporary();
    let mut starter = servers(&temporary, "exec sleep 600").spawn().unwrap();
    let began = Instant::now();
    let has_data = |server: DirEntry| server.path().join("data").exists();
    while !temporary.path().read_dir().unwrap().any(|server| has_data(server.unwrap())) {
        assert!(began.elapsed() < PATIENCE && starter.try_wait().unwrap().is_none());
        sleep(Duration::from_millis(1)).await;
    }
    starter.kill().unwrap();
    starter.wait().unwrap();
    while !is_empty(temporary.path()) {
        assert!(began.elapsed() < PATIENCE, "a directory outlives the process that made it");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_request_to_end_ends_the_command_and_both_servers() {
    let (mut starter, sheltered) = sheltered();
    Command::new("kill").arg(starter.id().to_string()).status().unwrap();
    assert_eq!(starter.wait().unwrap().code(), Some(128 + 15));
    gone(&sheltered).await;
    assert!(!is_alive(sheltered.pid));
}

/// What a command under `servers` told of itself, and where all files of both servers are.
struct Sheltered {
    pid: u32,
    postgres: u16,
    redis: u16,
    temporary: TempDir,
}

/// A directory for the servers' own ones. Whoever PostgreSQL runs as has to come through it.
fn temporary() -> TempDir {
    let temporary = TempDir::new().expect("a directory");
    fs::set_permissions(temporary.path(), Permissions::from_mode(0o755)).expect("its owner may");
    temporary
}

fn is_empty(directory: &Path) -> bool {
    directory.read_dir().expect("a directory").next().is_none()
}

fn servers(temporary: &TempDir, script: &str) -> Command {
    let mut servers = Command::new(env!("CARGO_BIN_EXE_anteroom-load-tests"));
    servers.args(["servers", "--", "sh", "-c", script]).env("TMPDIR", temporary.path()).stdin(Stdio::null());
    servers
}

/// Runs a command that says what it has and then waits for ever.
fn sheltered() -> (Child, Sheltered) {
    let temporary = temporary();
    let script = r#"echo $$; echo "$ANTEROOM_TEST_POSTGRES"; echo "$ANTEROOM_TEST_REDIS"; exec sleep 600"#;
    let mut starter = servers(&temporary, script).stdout(Stdio::piped()).spawn().expect("the program");
    let mut lines = BufReader::new(starter.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
    let mut line = || lines.next().expect("a line of the command");
    let port = |url: String| {
        let port = url.rsplit(':').next().and_then(|rest| rest.split('/').next());
        port.and_then(|port| port.parse().ok()).expect("a port")
    };
    let pid = line().parse().expect("a process id");
    let sheltered = Sheltered { pid, postgres: port(line()), redis: port(line()), temporary };
    assert!(!refuses(sheltered.postgres) && !refuses(sheltered.redis));
    (starter, sheltered)
}

/// Waits until nothing of both servers is left.
async fn gone(sheltered: &Sheltered) {
    let began = Instant::now();
    let there = || {
        let listens = !refuses(sheltered.postgres) || !refuses(sheltered.redis);
        listens || !is_empty(sheltered.temporary.path())
    };
    while there() {
        assert!(began.elapsed() < PATIENCE, "servers outlive the process that started them");
        sleep(Duration::from_millis(20)).await;
    }
}

fn refuses(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err()
}

/// One command for Redis, and the first line of the answer.
fn ask(port: u16, command: &str) -> String {
    let mut redis = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("a server");
    redis.write_all(format!("{command}\r\n").as_bytes()).expect("a connection");
    let mut answer = String::new();
    BufReader::new(redis).read_line(&mut answer).expect("an answer");
    answer.trim_end().to_owned()
}
