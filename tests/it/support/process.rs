//! The binary as a process, for what a launcher of servers does not do.

use std::process::{Output, Stdio};

use tokio::process::Command;

use super::soon;

/// The server's binary.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_anteroom");

/// The binary with these arguments and variables, and no others of ours.
pub(crate) fn command(args: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(BINARY);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"ANTEROOM_"))
    {
        command.env_remove(name);
    }
    command.args(args).envs(variables.iter().copied()).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs it to its end.
pub(crate) async fn run(args: &[&str], variables: &[(&str, &str)]) -> Output {
    soon("an end", command(args, variables).output()).await.expect("an output")
}

/// Sends a signal by its name (`INT`, `TERM`).
pub(crate) fn signal(pid: u32, name: &str) {
    let sent = std::process::Command::new("sh").args(["-c", &format!("kill -{name} {pid}")]).status();
    assert!(sent.expect("a shell").success(), "{name} to {pid}");
}

/// An address of the loopback interface where nobody listens at the moment.
pub(crate) fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").to_string()
}
