//! `anteroom health`: asks a running server whether it is ready, as a container's health check wants it: one line, and 0 or 1.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use anteroom::config::Config;
use anteroom::start::StartError;
use clap::Args;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{block_on, say};

/// How long the whole question may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// Bytes of the answer that are read.
const ANSWER_BYTES: u64 = 4 * 1024;

#[derive(Args)]
pub(super) struct Health {
    /// The server, as http://HOST:PORT, if it is not the one that is configured here. https is not spoken.
    #[arg(long, value_parser = authority)]
    url: Option<String>,
}

impl Health {
    pub(super) fn run(&self, config: impl FnOnce() -> Result<Config, StartError>) -> ExitCode {
        let place = match &self.url {
            Some(authority) => Ok(authority.clone()),
            None => config().map(|config| reachable(config.listen).to_string()),
        };
        let state = place.and_then(|place| block_on(async { Ok(ask(&place).await) }));
        let (line, code) = match state.map_err(|error| error.to_string()).flatten() {
            Ok(()) => ("ready".to_owned(), ExitCode::SUCCESS),
            Err(why) => (format!("not ready: {why}"), ExitCode::FAILURE),
        };
        // Whether anybody reads the line changes nothing about the server.
        let _ = say(&format!("{line}\n"));
        code
    }
}

/// The host and port of a URL.
fn authority(url: &str) -> Result<String, String> {
    let Some(rest) = url.strip_prefix("http://") else {
        return Err("http://HOST:PORT; https is not spoken".into());
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.is_empty() || authority.contains(|c: char| c.is_control() || c == ' ' || c == '@') {
        return Err("http://HOST:PORT".into());
    }
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    Ok(if has_port { authority.to_owned() } else { format!("{authority}:80") })
}

/// Where a server that listens here can be asked from the same machine.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// Asks; the error is what to print.
async fn ask(place: &str) -> Result<(), String> {
    let answer = timeout(PATIENCE, exchange(place))
        .await
        .map_err(|_| format!("{place} did not answer within {} s", PATIENCE.as_secs()))?
        .map_err(|error| format!("{place}: {error}"))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let mut words = head.lines().next().unwrap_or_default().split(' ');
    match (words.next(), words.next()) {
        (Some("HTTP/1.1" | "HTTP/1.0"), Some("200")) => Ok(()),
        (Some("HTTP/1.1" | "HTTP/1.0"), Some(status)) => {
            let why: String = body.chars().filter(|c| !c.is_control()).take(100).collect();
            Err(format!("{place} answers {}: {why}", status.escape_default()))
        }
        _ => Err(format!("{place} does not speak HTTP")),
    }
}

async fn exchange(place: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(place).await?;
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {place}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(ANSWER_BYTES).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_asked_where_it_can_be_reached_from_here() {
        for (listen, asked) in [
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("0.0.0.0:80", "127.0.0.1:80"),
            ("[::]:80", "[::1]:80"),
            ("192.0.2.7:1", "192.0.2.7:1"),
        ] {
            assert_eq!(reachable(listen.parse().expect("an address")).to_string(), asked);
        }
    }

    #[test]
    fn a_url_is_a_host_with_or_without_a_port_and_never_https() {
        assert_eq!(authority("http://server:8080").as_deref(), Ok("server:8080"));
        assert_eq!(authority("http://server/").as_deref(), Ok("server:80"));
        assert_eq!(authority("http://[::1]:8080/readyz").as_deref(), Ok("[::1]:8080"));
        for wrong in ["https://server", "server:8080", "http://", "http://a@b", "http://a\r\nb"] {
            assert!(authority(wrong).is_err(), "{wrong}");
        }
    }
}
