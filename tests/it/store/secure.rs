//! The way to a PostgreSQL that lets nobody in without TLS and a password.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use anteroom::store::Store as _;
use anteroom::store::postgres::{OpenError, PostgresStore, Settings};
use anteroom_load_tests::private::{PostgresOptions, PrivatePostgres};

use crate::support::certificate::Certificate;

/// Who comes as the superuser, from this machine, is let in by all means; everybody else by these alone.
const WHO_MAY: &str = "host all postgres 127.0.0.1/32 trust\nhostssl all anteroom localhost scram-sha-256\n";

/// A server with this certificate, and an account that has to show a password over TLS.
async fn server(certificate: &Certificate) -> PrivatePostgres {
    let mut server = PrivatePostgres::start(&PostgresOptions::default()).await.expect("a postgres");
    let data = server.data_directory();
    for (from, to) in [("cert.pem", "server.crt"), ("key.pem", "server.key")] {
        fs::copy(certificate.file(from).expect("a file"), data.join(to)).expect("copied");
        fs::set_permissions(data.join(to), Permissions::from_mode(0o600)).expect("for its owner alone");
    }
    fs::write(data.join("pg_hba.conf"), WHO_MAY).expect("written");
    server.query("postgres", "ALTER SYSTEM SET ssl = on").await.expect("set");
    let role = "CREATE ROLE anteroom LOGIN PASSWORD 'hush-hush'";
    server.query("postgres", role).await.expect("a role");
    server.query("postgres", "CREATE DATABASE anteroom OWNER anteroom").await.expect("a database");
    server.restart().await.expect("again");
    server
}

/// What comes of opening it as this account, with these parameters.
async fn open(server: &PrivatePostgres, account: &str, parameters: &str) -> Result<PostgresStore, OpenError> {
    let url = format!("postgres://{account}@localhost:{}/anteroom?{parameters}", server.port());
    PostgresStore::open(&Settings { url: url.into(), writers: 2, readers: 2 }).await
}

#[tokio::test]
async fn a_database_with_tls_is_believed_by_its_certificate_and_never_told_the_password_without() {
    let certificate = Certificate::new();
    let server = server(&certificate).await;
    let trusting = |certificate: &Certificate| {
        let file = certificate.file("cert.pem").expect("a file");
        format!("sslmode=verify-full&sslrootcert={}", file.display())
    };
    let store = open(&server, "anteroom:hush-hush", &trusting(&certificate)).await.expect("opened");
    store.ready().await.expect("it takes writes");
    let sql = "SELECT count(*) FILTER (WHERE s.ssl), count(*) FROM pg_stat_activity a JOIN pg_stat_ssl s USING (pid)
        WHERE a.usename = 'anteroom'";
    let sessions = server.query("postgres", sql).await.expect("a row");
    let (secure, all) = sessions.split_once('|').expect("two numbers");
    assert!(secure == all && all != "0", "{sessions}");

    for (account, parameters, why) in [
        ("anteroom:hush-hush", trusting(&Certificate::new()), "another one's certificate"),
        ("anteroom:hush-hush", "sslmode=verify-full".to_owned(), "a certificate that nobody vouches for"),
        ("anteroom:hush-hush", "sslmode=disable".to_owned(), "no TLS"),
        ("anteroom:whisper", trusting(&certificate), "a wrong password"),
    ] {
        let refused = open(&server, account, &parameters).await.err().expect(why);
        assert!(matches!(refused, OpenError::Unreachable(_)), "{why}: {refused}");
        let text = refused.to_string();
        assert!(!text.contains("hush") && !text.contains("whisper"), "{why}: {text}");
    }
}
