//! Which pages may open a socket. A browser says where the page comes from that asks for it, and a page cannot change that; programs
//! say nothing, and are let in: what they may do their tokens say, never a cookie.

use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};

/// Pages from elsewhere that may open sockets, besides those of this server.
#[derive(Debug, Clone, Default)]
pub struct Origins(Vec<String>);

impl Origins {
    /// These, as browsers write them: `https://market.example`.
    pub fn new(listed: &[String]) -> Self {
        Self(listed.to_vec())
    }

    /// Whether the page that asks, if it is one, may.
    pub fn admit(&self, headers: &HeaderMap) -> bool {
        let mut origins = headers.get_all(ORIGIN).iter();
        let Some(origin) = origins.next() else { return true };
        // A browser sends one.
        let Ok((origin, None)) = origin.to_str().map(|origin| (origin.to_ascii_lowercase(), origins.next()))
        else {
            return false;
        };
        self.0.contains(&origin) || is_own(&origin, headers)
    }
}

/// Whether the page comes from the very host that is asked.
fn is_own(origin: &str, headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(HOST).and_then(|host| host.to_str().ok()) else { return false };
    let (host, own) = match origin.split_once("://") {
        Some(("https", own)) => (without_port(host, ":443"), without_port(own, ":443")),
        Some(("http", own)) => (without_port(host, ":80"), without_port(own, ":80")),
        _ => return false,
    };
    !own.is_empty() && host.eq_ignore_ascii_case(own)
}

fn without_port<'a>(host: &'a str, port: &str) -> &'a str {
    host.strip_suffix(port).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(host: &str, origins: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().expect("a host"));
        for origin in origins {
            headers.append(ORIGIN, origin.parse().expect("an origin"));
        }
        Origins::new(&["https://market.example".to_owned()]).admit(&headers)
    }

    #[test]
    fn a_page_of_the_same_host_a_listed_one_and_a_program_are_admitted() {
        for (host, origins) in [
            ("rooms.example", &[][..]),
            ("rooms.example", &["https://rooms.example"]),
            ("rooms.example:443", &["https://rooms.example"]),
            ("Rooms.Example", &["https://rooms.example"]),
            ("127.0.0.1:8080", &["http://127.0.0.1:8080"]),
            ("[::1]:8080", &["http://[::1]:8080"]),
            ("rooms.example", &["https://market.example"]),
        ] {
            assert!(admitted(host, origins), "{host} {origins:?}");
        }
    }

    #[test]
    fn any_other_page_is_not() {
        for origins in [
            &["null"][..],
            &[""],
            &["https://"],
            &["https://evil.example"],
            &["https://rooms.example.evil.example"],
            &["https://rooms.example:8443"],
            &["http://market.example"],
            &["https://market.example:444"],
            &["https://sub.market.example"],
            &["file://rooms.example"],
            &["https://rooms.example", "https://evil.example"],
        ] {
            assert!(!admitted("rooms.example", origins), "{origins:?}");
        }
    }
}
