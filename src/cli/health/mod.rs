//! `anteroom health`: asks a running server whether it is ready, as a container's health check wants it: one line, and 0 or 1.

mod certificate;
mod unready;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anteroom::config::Config;
use anteroom::start::StartError;
use clap::Args;
use reqwest::{Client, StatusCode, Url, redirect};

use self::unready::Unready;
use super::{block_on, say};

/// How long the whole question may take.
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Args)]
pub(super) struct Health {
    /// The server, as http://HOST:PORT or https://HOST:PORT, if it is not the one that is configured here. Over https it has to have a
    /// certificate that this machine trusts.
    #[arg(long, value_parser = server)]
    url: Option<Url>,
}

/// Whom to ask, and whose answer counts.
struct Place {
    server: Url,
    trust: Trust,
}

/// What makes a server the one that is meant.
enum Trust {
    /// Its address. There is no TLS.
    Address,
    /// A certificate that leads to one of this machine's roots.
    Roots,
    /// This very certificate.
    Only(PathBuf),
}

impl Health {
    pub(super) fn run(&self, config: impl FnOnce() -> Result<Config, StartError>) -> ExitCode {
        let state = match self.place(config) {
            Ok(place) => block_on(async { Ok(ask(&place).await) }).map_err(Unready::from).flatten(),
            Err(error) => Err(error.into()),
        };
        let (line, code) = match state {
            Ok(()) => ("ready".to_owned(), ExitCode::SUCCESS),
            Err(why) => (format!("not ready: {why}"), ExitCode::FAILURE),
        };
        // Whether anybody reads the line changes nothing about the server.
        let _ = say(&format!("{line}\n"));
        code
    }

    fn place(&self, config: impl FnOnce() -> Result<Config, StartError>) -> Result<Place, StartError> {
        if let Some(server) = self.url.clone() {
            let trust = if server.scheme() == "https" { Trust::Roots } else { Trust::Address };
            return Ok(Place { server, trust });
        }
        let config = config()?;
        let (scheme, trust) = match config.tls.certificate {
            Some(certificate) => ("https", Trust::Only(certificate)),
            None => ("http", Trust::Address),
        };
        let address = format!("{scheme}://{}", reachable(config.listen));
        Ok(Place { server: Url::parse(&address).map_err(StartError::other)?, trust })
    }
}

/// The server that a URL names, whatever else stands in it.
fn server(url: &str) -> Result<Url, String> {
    let form = || "http://HOST:PORT or https://HOST:PORT".to_owned();
    // A parser of URLs leaves out what is no part of one, and what is asked would not be what was written.
    if url.contains(|c: char| c.is_control() || c == ' ') {
        return Err(form());
    }
    let url = Url::parse(url).map_err(|_| form())?;
    let anonymous = url.username().is_empty() && url.password().is_none();
    if !matches!(url.scheme(), "http" | "https") || !anonymous {
        return Err(form());
    }
    Url::parse(&url.origin().ascii_serialization()).map_err(|_| form())
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

/// Asks. Only a 200 means that it is ready.
async fn ask(place: &Place) -> Result<(), Unready> {
    let client = client(&place.trust)?;
    let name = place.server.origin().ascii_serialization();
    let mut url = place.server.clone();
    url.set_path("/readyz");
    let mut answer = client.get(url).send().await.map_err(|error| Unready::unanswered(&name, &error))?;
    if answer.status() == StatusCode::OK {
        return Ok(());
    }
    // The first piece is enough to say why.
    let body = answer.chunk().await.ok().flatten().unwrap_or_default();
    let why = String::from_utf8_lossy(&body).chars().filter(|c| !c.is_control()).take(100).collect();
    Err(Unready::Answered { name, status: answer.status().as_u16(), why })
}

/// What asks the server itself: no proxy, and no other server that it points to.
fn client(trust: &Trust) -> Result<Client, Unready> {
    let builder = Client::builder().no_proxy().redirect(redirect::Policy::none()).timeout(PATIENCE);
    let builder = match trust {
        // The machine need not have root certificates for what they do not count in.
        Trust::Address => builder.tls_certs_only([]),
        Trust::Only(file) => builder.tls_backend_preconfigured(certificate::only(file)?),
        Trust::Roots => builder,
    };
    builder.build().map_err(Unready::NoClient)
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
    fn a_url_is_a_scheme_and_a_host_with_or_without_a_port() {
        for (url, named) in [
            ("http://server:8080", "http://server:8080/"),
            ("http://server/", "http://server/"),
            ("http://[::1]:8080/readyz?x#y", "http://[::1]:8080/"),
            ("https://server", "https://server/"),
        ] {
            assert_eq!(server(url).as_ref().map(Url::as_str), Ok(named));
        }
        for wrong in
            ["ftp://server", "server:8080", "http://", "http://a@b", "http://:c@b", "http://a\r\nb", "data:x"]
        {
            assert!(server(wrong).is_err(), "{wrong}");
        }
    }
}
