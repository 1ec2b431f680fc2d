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

/// An address of the loopback interface where nobody listens at the moment: below the ports that systems give to whoever asks for any, so
/// that nobody is given it until it is used.
pub(crate) fn free_address() -> String {
    loop {
        let address = format!("127.0.0.1:{}", rand::random_range(20_000..32_000));
        if std::net::TcpListener::bind(&address).is_ok() {
            return address;
        }
    }
}
