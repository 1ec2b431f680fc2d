//! The way out over the network, with a guard at its door.
//!
//! A name is looked up by the guard alone, within the library that connects: what the guard lets through is what is connected to, and nobody asks
//! a second time. Addresses that are written as numbers are never looked up, so they are looked at before.

use std::error::Error;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::RETRY_AFTER;
use reqwest::{Certificate, Client, Response, Url, redirect};
use tokio::time::timeout;

use super::address::Rules;
use super::{Failure, Outbound, Post, Refused, Reply};

/// How long it may take until there is a connection …
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// … and until all of the answer is there.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);
/// Bytes of an answer that are kept. More is not read, and the connection is closed.
const ANSWER_BYTES: usize = 1_024;
/// Connections to one host that are kept for the next post.
const IDLE_CONNECTIONS: usize = 8;
/// How long they are kept.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Who knows what a name stands for.
#[async_trait]
pub trait Lookup: Send + Sync + 'static {
    /// The addresses of a name, as they are now.
    async fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The operating system.
pub struct SystemLookup;

#[async_trait]
impl Lookup for SystemLookup {
    async fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// Looks names up, and lets through what the rules allow.
struct Guard {
    rules: Rules,
    lookup: Box<dyn Lookup>,
}

impl Guard {
    /// Where this name may be connected to. One address that may not be is enough to refuse all: who names such a one wants it.
    async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, Box<dyn Error + Send + Sync>> {
        let found = self.lookup.lookup(name).await?;
        match found.iter().find(|address| !self.rules.allow(**address)) {
            Some(_) => Err(private(name).into()),
            None if found.is_empty() => Err(io::Error::other("the name has no address").into()),
            None => Ok(found),
        }
    }
}

/// That a host is nobody's business out there. Its address is not told: whoever asks may not know it.
fn private(host: &str) -> Refused {
    Refused(format!("{host} is not an address that everybody can reach"))
}

struct Resolver(Arc<Guard>);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.0.clone();
        Box::pin(async move {
            let found = guard.addresses(name.as_str()).await?;
            let addresses: Addrs = Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}

/// The port's adapter.
pub struct Guarded {
    guard: Arc<Guard>,
    client: Client,
}

impl Guarded {
    /// With these rules. Certificates that are trusted beside the machine's may be given in PEM.
    ///
    /// # Errors
    /// These certificates cannot be read, or the machine has none that could be trusted.
    pub fn new(
        rules: Rules,
        lookup: impl Lookup,
        ca: Option<&[u8]>,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let guard = Arc::new(Guard { rules, lookup: Box::new(lookup) });
        let mut client = Client::builder()
            .user_agent(concat!("Anteroom/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .referer(false)
            // A proxy would look names up itself.
            .no_proxy()
            .https_only(!guard.rules.is_plain_allowed)
            .dns_resolver(Arc::new(Resolver(guard.clone())))
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(ANSWER_TIMEOUT)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .pool_idle_timeout(IDLE_TIMEOUT);
        if let Some(ca) = ca {
            client = client.tls_certs_merge(Certificate::from_pem_bundle(ca)?);
        }
        Ok(Self { guard, client: client.build()? })
    }

    /// The address, if its form and, where it is written as a number, its number are such that something may be sent there.
    fn parse(&self, text: &str) -> Result<Url, Refused> {
        let refused = |why: &str| Err(Refused(why.to_owned()));
        let Ok(url) = Url::parse(text) else { return refused("this is no address") };
        match url.scheme() {
            "https" => {}
            "http" if self.guard.rules.is_plain_allowed => {}
            _ => return refused("an address begins with https://"),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refused("an address has no name and no password in it");
        }
        if url.fragment().is_some() {
            return refused("an address has nothing behind a #");
        }
        let Some(host) = url.host_str() else { return refused("an address names a host") };
        // Whatever way a number was written in, here it stands in the usual one.
        match number(host) {
            Some(address) if !self.guard.rules.allow(address) => Err(private(host)),
            _ => Ok(url),
        }
    }
}

/// The address in a host that is written as a number.
fn number(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

#[async_trait]
impl Outbound for Guarded {
    fn host(&self, url: &str) -> Result<String, Refused> {
        Ok(self.parse(url)?.host_str().unwrap_or_default().to_owned())
    }

    async fn check(&self, url: &str) -> Result<(), Refused> {
        let host = self.host(url)?;
        if number(&host).is_some() {
            return Ok(());
        }
        let not_found = || Refused(format!("{host} cannot be found"));
        match timeout(CONNECT_TIMEOUT, self.guard.addresses(&host)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(refusal_in(&*error).unwrap_or_else(not_found)),
            Err(_) => Err(not_found()),
        }
    }

    async fn post(&self, post: Post) -> Result<Reply, Failure> {
        let url = self.parse(&post.url)?;
        let request = post
            .headers
            .into_iter()
            .fold(self.client.post(url), |request, (name, value)| request.header(name, value));
        let response = request.body(post.body).send().await.map_err(|error| failure(&error))?;
        reply(response).await.map_err(|error| failure(&error))
    }
}

async fn reply(mut response: Response) -> reqwest::Result<Reply> {
    let status = response.status().as_u16();
    let said = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after = said.and_then(|value| value.trim().parse().ok()).map(Duration::from_secs);
    let mut body = Vec::new();
    while body.len() < ANSWER_BYTES
        && let Some(chunk) = response.chunk().await?
    {
        body.extend_from_slice(&chunk[..chunk.len().min(ANSWER_BYTES - body.len())]);
    }
    // No database keeps a zero in a text, and nobody can read one.
    let text = String::from_utf8_lossy(&body).replace('\0', "\u{fffd}");
    Ok(Reply { status, retry_after, text })
}

fn failure(error: &reqwest::Error) -> Failure {
    if let Some(refused) = refusal_in(error) {
        return Failure::Refused(refused);
    }
    if error.is_timeout() {
        return Failure::TooSlow(if error.is_connect() { CONNECT_TIMEOUT } else { ANSWER_TIMEOUT });
    }
    // The innermost reason says most; those around it say where.
    Failure::Unreachable(reasons(error).last().map(ToString::to_string).unwrap_or_default())
}

/// The guard's refusal, somewhere among the reasons of an error.
fn refusal_in(error: &(dyn Error + 'static)) -> Option<Refused> {
    reasons(error).find_map(|reason| reason.downcast_ref().cloned())
}

/// An error, and what it came of.
fn reasons<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let source =
        |error: &&'a (dyn Error + 'static)| -> Option<&'a (dyn Error + 'static)> { (*error).source() };
    std::iter::successors(Some(error), source)
}

#[cfg(test)]
mod tests;
