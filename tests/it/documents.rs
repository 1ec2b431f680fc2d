//! The table of routes and the server are the same thing: every row is served as it says, and nothing else is served. The documents
//! that are made of it are served too.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anteroom_protocol::route::{self, Answer, Method, QueryKind, RouteSpec, Who};

use crate::support::{Answered, Door, Scene, TestServer, exchange, filled};

/// Every path that a router of the server's sources is given in words, but that of the figures' own listener.
fn in_the_sources(folder: &Path, found: &mut BTreeSet<String>) {
    for file in fs::read_dir(folder).expect("a folder") {
        let path = file.expect("a file").path();
        if path.is_dir() {
            in_the_sources(&path, found);
        } else {
            let text = fs::read_to_string(&path).expect("text");
            let calls = text.split("route(").skip(1);
            let paths = calls.filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
            found.extend(paths.filter(|path| *path != "/metrics").map(str::to_owned));
        }
    }
}

#[tokio::test]
async fn every_row_of_the_table_of_routes_is_served_and_nothing_else_is() {
    let server = TestServer::start().await;
    let mut expected: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for route in route::all() {
        let methods = expected.entry(route.path.to_owned()).or_default();
        methods.insert(route.method.as_str());
        if route.method == Method::Get {
            methods.insert("HEAD");
        }
    }
    let mut paths = BTreeSet::new();
    in_the_sources(Path::new("src"), &mut paths);
    assert!(paths.len() > 15, "the sources were read: {paths:?}");
    paths.extend(route::all().map(|route| route.path.to_owned()));
    for path in &paths {
        let answer = exchange(&server, ("PATCH", &filled(path)), None, &[], String::new()).await;
        let allowed: BTreeSet<&str> =
            answer.header("allow").into_iter().flat_map(|list| list.split(',')).collect();
        let row = expected.get(path).cloned().unwrap_or_default();
        assert_eq!(allowed, row, "{path}: what is served, and what protocol/src/route/ says");
    }
}

async fn ask(server: &TestServer, route: &RouteSpec, query: &str, token: Option<&str>) -> Answered {
    let key = [("Idempotency-Key", "0195b2a0-0000-7000-8000-00000000000a")];
    let headers: &[_] = if route.idempotency_key { &key } else { &[] };
    let path = format!("{}{query}", filled(route.path));
    exchange(server, (route.method.as_str(), &path), token, headers, String::new()).await
}

#[tokio::test]
async fn every_route_lets_in_whom_the_table_says() {
    let scene = Scene::new(Door::Http).await;
    let server = &scene.server;
    let user = server.token(&scene.client.user);
    let service = server.mint.service();
    for route in route::all() {
        let nobody = ask(server, &route, "", None).await;
        assert_eq!(nobody.status == 401, route.who != Who::Anyone, "{}: {nobody:?}", route.name);
        for (token, enters) in [
            (&user, matches!(route.who, Who::Anyone | Who::User | Who::UserOrService)),
            (&service, matches!(route.who, Who::Anyone | Who::Service | Who::UserOrService)),
        ] {
            let answer = ask(server, &route, "", Some(token)).await;
            let fault = format!("{} by {:?}: {answer:?}", route.name, route.who);
            // A command looks at its fields before it looks at its author's scope.
            let looked_at = answer.status == 400 && route.idempotency_key;
            assert!(looked_at || (answer.status == 403) != enters, "{fault}");
            assert_ne!(answer.status, 401, "{fault}");
        }
    }
}

#[tokio::test]
async fn every_parameter_of_the_table_is_read_by_its_route() {
    let mut scene = Scene::new(Door::Http).await;
    let (_, room) = scene.talking().await;
    let (token, service) = (scene.server.token(&scene.client.user), scene.server.mint.service());
    for mut route in route::all() {
        let path = route.path.replace("{room}", &room.to_string());
        route.path = path.leak();
        for parameter in route.query {
            // What is any text at all is refused or not by what it means.
            let wrong = match parameter.kind {
                QueryKind::Number | QueryKind::Limit => "-1",
                QueryKind::Flag | QueryKind::Type(_) => "perhaps",
                QueryKind::Cursor | QueryKind::Text(_) => continue,
            };
            let query = format!("?{}={wrong}", parameter.name);
            let token = if route.who == Who::Service { &service } else { &token };
            let answer = ask(&scene.server, &route, &query, Some(token)).await;
            assert_eq!(answer.code(), "bad_request", "{}{query}: {answer:?}", route.path);
        }
    }
}

#[tokio::test]
async fn the_documents_are_served_to_anybody_and_once_to_whoever_keeps_them() {
    let server = TestServer::start().await;
    for (path, text) in [
        ("/openapi.json", include_str!("../../protocol/openapi.json")),
        ("/asyncapi.json", include_str!("../../protocol/asyncapi.json")),
    ] {
        let document = route::all().find(|route| route.path == path).expect("a row");
        assert_eq!((document.who, document.answer), (Who::Anyone, Answer::Document));
        let answer = exchange(&server, ("GET", path), None, &[], String::new()).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
        assert!(answer.body == text, "{path} is the committed document");
        let etag = answer.header("etag").expect("an etag").to_owned();
        for (known, status) in [
            (etag.clone(), 304),
            (format!("W/{etag}"), 304),
            (format!("\"another\", {etag}"), 304),
            ("*".to_owned(), 304),
            ("\"another\"".to_owned(), 200),
        ] {
            let headers = [("If-None-Match", known.as_str())];
            let again = exchange(&server, ("GET", path), None, &headers, String::new()).await;
            assert_eq!((again.status, again.header("etag")), (status, Some(etag.as_str())), "{path} {known}");
            assert_eq!(again.body.is_empty(), status == 304, "{path} {known}");
        }
    }
}
