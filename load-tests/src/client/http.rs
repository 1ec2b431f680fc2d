//! The routes of the server.

use std::fmt::Write as _;
use std::time::Duration;

use anteroom_protocol::command::Command;
use anteroom_protocol::entry::{EntryFrame, EntryPage};
use anteroom_protocol::error::ErrorBody;
use anteroom_protocol::id::{ClientId, RoomRef};
use anteroom_protocol::limits;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, RequestBuilder};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::observer::{Exchange, Seen, tell};
use super::{HttpError, Problem};

/// A client of the routes, as one person or as the marketplace's service. Clones share their connections.
#[derive(Debug, Clone)]
pub struct Http {
    client: reqwest::Client,
    base: String,
    token: Option<String>,
}

/// An answer as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The `content-type`, empty when there is none.
    pub content_type: String,
    /// The body.
    pub text: String,
}

impl Http {
    /// A client with this token. `base` is `http://127.0.0.1:PORT`.
    pub fn new(base: &str, token: impl Into<String>) -> Self {
        Self { token: Some(token.into()), ..Self::anonymous(base) }
    }

    /// A client without a token.
    pub fn anonymous(base: &str) -> Self {
        let client =
            reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).tls_certs_only([]).build();
        Self {
            client: client.expect("a client without TLS has nothing to fail at"),
            base: base.trim_end_matches('/').to_owned(),
            token: None,
        }
    }

    /// The same connections under another token.
    #[must_use]
    pub fn with_token(&self, token: impl Into<String>) -> Self {
        Self { token: Some(token.into()), ..self.clone() }
    }

    /// `http://127.0.0.1:PORT`.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// `GET`, read as this type ([`Value`] for any).
    ///
    /// # Errors
    /// [`HttpError`].
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, HttpError> {
        read(&send(self.request(Method::GET, path)).await?)
    }

    /// `PUT` with a JSON body.
    ///
    /// # Errors
    /// [`HttpError`].
    pub async fn put<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &(impl Serialize + ?Sized),
    ) -> Result<T, HttpError> {
        read(&send(self.request(Method::PUT, path).json(body)).await?)
    }

    /// `POST` without a body.
    ///
    /// # Errors
    /// [`HttpError`].
    pub async fn post<T: DeserializeOwned>(&self, path: &str) -> Result<T, HttpError> {
        read(&send(self.request(Method::POST, path)).await?)
    }

    /// `POST` with a JSON body.
    ///
    /// # Errors
    /// [`HttpError`].
    pub async fn post_json<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &(impl Serialize + ?Sized),
    ) -> Result<T, HttpError> {
        read(&send(self.request(Method::POST, path).json(body)).await?)
    }

    /// `DELETE`.
    ///
    /// # Errors
    /// [`HttpError`].
    pub async fn delete<T: DeserializeOwned>(&self, path: &str) -> Result<T, HttpError> {
        read(&send(self.request(Method::DELETE, path)).await?)
    }

    /// Sends a command to its route.
    ///
    /// # Errors
    /// [`HttpError`].
    pub async fn command<T: DeserializeOwned>(
        &self,
        client_id: ClientId,
        command: &Command,
    ) -> Result<T, HttpError> {
        let fields = serde_json::to_value(command).unwrap_or(Value::Null);
        self.command_by_name(command.name(), client_id, fields).await
    }

    /// Sends the command of this name with any fields: one of them goes into the path if the table says so, the others are
    /// the body.
    ///
    /// # Errors
    /// [`HttpError`].
    pub async fn command_by_name<T: DeserializeOwned>(
        &self,
        name: &str,
        client_id: ClientId,
        fields: Value,
    ) -> Result<T, HttpError> {
        let (path, body) = route(name, fields)?;
        read(
            &send(
                self.request(Method::POST, &path)
                    .header("Idempotency-Key", client_id.to_string())
                    .json(&body),
            )
            .await?,
        )
    }

    /// Any request with any headers and any body (sent as JSON if there is one); whatever is answered is returned.
    ///
    /// # Errors
    /// [`HttpError::Io`].
    pub async fn raw(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Result<HttpAnswer, HttpError> {
        let method = Method::from_bytes(method.as_bytes())
            .map_err(|error| HttpError::NoSuchCommand(format!("{method}: {error}")))?;
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body);
        }
        request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        send(request).await
    }

    /// One page of a log.
    ///
    /// # Errors
    /// [`HttpError`].
    pub async fn entries(
        &self,
        room: RoomRef,
        after: Option<u64>,
        limit: Option<u32>,
        proof: bool,
    ) -> Result<EntryPage, HttpError> {
        let mut path = format!("/v1/rooms/{room}/entries?");
        if let Some(after) = after {
            let _ = write!(path, "after={after}&");
        }
        if let Some(limit) = limit {
            let _ = write!(path, "limit={limit}&");
        }
        if proof {
            path.push_str("proof=true&");
        }
        self.get(path.trim_end_matches(['&', '?'])).await
    }

    /// A whole log, from its first entry to its head, page by page.
    ///
    /// # Errors
    /// [`HttpError`]; a page that says there is more and is empty is [`HttpError::Unreadable`].
    pub async fn all_entries(&self, room: RoomRef, proof: bool) -> Result<Vec<EntryFrame>, HttpError> {
        Ok(self.whole_log(room, proof).await?.0)
    }

    /// As [`Self::all_entries`], and the head that the last page told.
    ///
    /// # Errors
    /// As [`Self::all_entries`].
    pub async fn whole_log(&self, room: RoomRef, proof: bool) -> Result<(Vec<EntryFrame>, u64), HttpError> {
        let mut all: Vec<EntryFrame> = Vec::new();
        loop {
            let after = all.last().map_or(0, |entry| entry.seq);
            let page = self.entries(room, Some(after), Some(limits::PAGE_ITEMS), proof).await?;
            let moved = page.items.last().is_some_and(|entry| entry.seq > after);
            all.extend(page.items);
            if !page.has_more {
                return Ok((all, page.head));
            }
            if !moved {
                let problem = format!("has_more after {after}, and no entry beyond it");
                return Err(HttpError::Unreadable { status: 200, text: String::new(), problem });
            }
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }
}

/// A part of a path, with everything encoded that has a meaning there.
pub fn path_segment(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut path, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            path.push(char::from(byte));
        } else {
            let _ = write!(path, "%{byte:02X}");
        }
        path
    })
}

fn route(name: &str, fields: Value) -> Result<(String, Map<String, Value>), HttpError> {
    let spec = Command::ALL.iter().find(|spec| spec.name == name);
    let spec = spec.ok_or_else(|| HttpError::NoSuchCommand(name.to_owned()))?;
    let Value::Object(mut body) = fields else {
        return Err(HttpError::NoSuchCommand(format!("{name}: the fields are no object")));
    };
    body.remove("type");
    let Some(field) = spec.path_field() else {
        return Ok((spec.path.to_owned(), body));
    };
    let value = body.remove(field);
    let value = value.as_ref().and_then(Value::as_str);
    let value = value.ok_or_else(|| HttpError::NoSuchCommand(format!("{name}: no {field}")))?;
    Ok((spec.path.replace(&format!("{{{field}}}"), &path_segment(value)), body))
}

async fn send(request: RequestBuilder) -> Result<HttpAnswer, HttpError> {
    let (client, request) = request.build_split();
    let request = request?;
    let (method, path) = (request.method().clone(), request.url().path().to_owned());
    let body = request.body().and_then(reqwest::Body::as_bytes).map(<[u8]>::to_vec).unwrap_or_default();
    let response = client.execute(request).await?;
    let status = response.status().as_u16();
    let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or_default().to_owned();
    let text = response.text().await?;
    tell(Seen::Exchanged(Exchange {
        method: method.as_str(),
        path: &path,
        body: &body,
        status,
        content_type: &content_type,
        text: &text,
    }));
    Ok(HttpAnswer { status, content_type, text })
}

fn read<T: DeserializeOwned>(answer: &HttpAnswer) -> Result<T, HttpError> {
    let unreadable = |error: serde_json::Error| HttpError::Unreadable {
        status: answer.status,
        text: answer.text.clone(),
        problem: error.to_string(),
    };
    if (200..300).contains(&answer.status) {
        return serde_json::from_str(&answer.text).map_err(unreadable);
    }
    let mut document: Map<String, Value> = serde_json::from_str(&answer.text).map_err(unreadable)?;
    if let Some(detail) = document.remove("detail") {
        document.insert("message".to_owned(), detail);
    }
    let error: ErrorBody = serde_json::from_value(Value::Object(document)).map_err(unreadable)?;
    Err(HttpError::Problem(Box::new(Problem {
        status: answer.status,
        content_type: answer.content_type.clone(),
        error,
        text: answer.text.clone(),
    })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use anteroom_protocol::error::ErrorCode;
    use serde_json::json;

    #[test]
    fn a_command_goes_to_the_route_of_the_table_without_the_field_of_the_path() {
        let fields = json!({"type": "message.post", "room": "inbox", "body": "hi"});
        let (path, body) = route("message.post", fields).expect("a route");
        assert_eq!(path, "/v1/rooms/inbox/messages");
        assert_eq!(Value::Object(body), json!({"body": "hi"}));
        assert!(matches!(route("message.burn", json!({})), Err(HttpError::NoSuchCommand(_))));
        assert!(matches!(route("message.post", json!({})), Err(HttpError::NoSuchCommand(_))));
    }

    #[test]
    fn every_command_has_a_route_this_client_can_fill() {
        for spec in Command::ALL {
            let fields = spec.path_field().map_or(json!({}), |field| json!({field: "a"}));
            let (path, _) = route(spec.name, fields).expect("a route");
            assert!(!path.contains(['{', '}']), "{path}");
        }
    }

    #[test]
    fn an_id_with_signs_of_the_url_stays_one_part_of_the_path() {
        assert_eq!(path_segment("Ana.B+1@x?y#z%"), "Ana.B%2B1%40x%3Fy%23z%25");
    }

    #[test]
    fn a_problem_document_becomes_the_error_the_socket_would_have_told() {
        let text = r#"{"type":"about:blank","title":"Not Found","status":404,"detail":"no such thing","code":"not_found","retryable":false}"#;
        let answer = HttpAnswer {
            status: 404,
            content_type: "application/problem+json".into(),
            text: text.to_owned(),
        };
        let error = read::<Value>(&answer).expect_err("a problem");
        assert_eq!((error.code(), error.status()), (Some(ErrorCode::NotFound), Some(404)));
        assert_eq!(error.problem().expect("a problem").error.message, "no such thing");
        let nonsense = HttpAnswer { text: "oops".into(), ..answer };
        assert!(matches!(read::<Value>(&nonsense), Err(HttpError::Unreadable { status: 404, .. })));
    }
}
