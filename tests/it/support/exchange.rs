//! A request and its whole answer, for what must be the same to the last byte.

use anteroom_load_tests::client::observer::{Exchange, Seen, tell};
use reqwest::Method;
use serde_json::Value;

use super::TestServer;

/// An answer with everything in it but its date.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    /// By name.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answered {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// The code of the problem document.
    pub(crate) fn code(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let document: Value = serde_json::from_str(&self.body).expect("a problem document");
        assert_eq!(document["status"], self.status, "{self:?}");
        document["code"].as_str().expect("a code").to_owned()
    }
}

/// A path of this form that names nothing there is.
pub(crate) fn filled(template: &str) -> String {
    const NOTHING: &str = "00000000-0000-7000-8000-000000000000";
    let places = ["{room}", "{invitation}", "{proposal}", "{candidacy}", "{job}", "{user}"];
    places.iter().fold(template.to_owned(), |path, place| path.replace(place, NOTHING))
}

/// Asks this of the server's first node.
pub(crate) async fn exchange(
    server: &TestServer,
    asked: (&str, &str),
    token: Option<&str>,
    headers: &[(&str, &str)],
    body: String,
) -> Answered {
    exchange_at(&server.base, asked, token, headers, body).await
}

/// Asks this of the node at this address.
pub(crate) async fn exchange_at(
    base: &str,
    (method, path): (&str, &str),
    token: Option<&str>,
    headers: &[(&str, &str)],
    body: String,
) -> Answered {
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().expect("a client");
    let verb = Method::from_bytes(method.as_bytes()).expect("a method");
    let mut request = client.request(verb, format!("{base}{path}")).body(body.clone());
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let response = request.send().await.expect("an answer");
    let mut headers: Vec<_> = response
        .headers()
        .iter()
        .filter(|(name, _)| *name != "date")
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    headers.sort();
    let path = response.url().path().to_owned();
    let answered = Answered {
        status: response.status().as_u16(),
        headers,
        body: response.text().await.expect("a body"),
    };
    tell(Seen::Exchanged(Exchange {
        method,
        path: &path,
        body: body.as_bytes(),
        status: answered.status,
        content_type: answered.header("content-type").unwrap_or_default(),
        text: &answered.body,
    }));
    answered
}
