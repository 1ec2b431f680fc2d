//! The guard against those who would have this server ask its own network. What counts is that no connection is opened.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::*;

/// Whatever way an address of one's own is written in, and whatever stands for one.
const HOSTILE: &[&str] = &[
    // This machine.
    "https://127.0.0.1/",
    "https://127.0.0.2:8443/",
    "https://127.255.255.254/",
    "https://127.1/",
    "https://127.0.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://127.0.0.1./",
    "https://%31%32%37.0.0.1/",
    "https://１２７.0.0.1/",
    "https://0.0.0.0/",
    "https://0/",
    "https://[::1]/",
    "https://[::]/",
    "https://[0:0:0:0:0:0:0:1]/",
    // Those of its network.
    "https://10.0.0.1/",
    "https://10.255.255.255/",
    "https://172.16.0.1/",
    "https://172.31.255.254/",
    "https://192.168.0.1/",
    "https://0xc0a80001/",
    "https://100.64.0.1/",
    "https://198.18.0.1/",
    "https://[fc00::1]/",
    "https://[fd12:3456:789a::1]/",
    "https://[fec0::1]/",
    // Where clouds tell secrets.
    "https://169.254.169.254/latest/meta-data/",
    "https://2852039166/latest/meta-data/",
    "https://[fe80::1]/",
    "https://[fd00:ec2::254]/latest/meta-data/",
    // IPv6 that stands for IPv4.
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::ffff:169.254.169.254]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b:1::a00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:0:7f00:1::]/",
    // Nobody's, and everybody's.
    "https://192.0.2.1/",
    "https://198.51.100.1/",
    "https://203.0.113.1/",
    "https://224.0.0.1/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "https://[ff02::1]/",
    "https://[2001:db8::1]/",
    "https://[100::1]/",
    // Not the way it is posted to others.
    "http://93.184.216.34/",
    "ftp://93.184.216.34/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "unix:/var/run/docker.sock",
    "//93.184.216.34/",
    "https://name:password@93.184.216.34/",
    "https://93.184.216.34@127.0.0.1/",
    "https://93.184.216.34/#127.0.0.1",
    "https://",
    "",
    "127.0.0.1",
];

/// Knows names as it is told, one answer after the other, the last one for ever.
struct Told {
    answers: Vec<Vec<IpAddr>>,
    asked: Arc<AtomicUsize>,
}

#[async_trait]
impl Lookup for Told {
    async fn lookup(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        let turn = self.asked.fetch_add(1, Ordering::SeqCst).min(self.answers.len() - 1);
        Ok(self.answers[turn].clone())
    }
}

fn told(answers: &[&[&str]]) -> (Told, Arc<AtomicUsize>) {
    let parsed = |answer: &&[&str]| answer.iter().map(|text| text.parse().expect("an address")).collect();
    let asked = Arc::new(AtomicUsize::new(0));
    (Told { answers: answers.iter().map(parsed).collect(), asked: asked.clone() }, asked)
}

fn post(url: &str) -> Post {
    Post { url: url.to_owned(), headers: vec![("x-test", "1".to_owned())], body: b"{}".to_vec() }
}

/// Whoever listens on this machine, and how often somebody connected.
struct Listener {
    port: u16,
    connections: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Listens on all addresses of this machine, and answers this.
async fn listener(answer: &'static str) -> Listener {
    let listener = TcpListener::bind("[::]:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (connections, requests) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
    let (counted, heard) = (connections.clone(), requests.clone());
    let task = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let heard = heard.clone();
            tokio::spawn(async move {
                let mut request = vec![0; 4_096];
                let length = stream.read(&mut request).await.unwrap_or(0);
                let text = String::from_utf8_lossy(&request[..length]).into_owned();
                heard.lock().expect("unbroken").push(text);
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    Listener { port, connections, requests, task }
}

fn guarded(rules: Rules, lookup: impl Lookup) -> Guarded {
    Guarded::new(rules, lookup, None).expect("a way out")
}

#[tokio::test]
async fn no_hostile_address_is_taken_or_connected_to_however_it_is_written() {
    assert!(HOSTILE.len() >= 60);
    let way_out = guarded(Rules::default(), told(&[&["127.0.0.1"]]).0);
    for url in HOSTILE {
        way_out.check(url).await.expect_err(url);
        // Refused before anything was connected to, not afterwards.
        let failure = way_out.post(post(url)).await.expect_err(url);
        assert!(matches!(failure, Failure::Refused(_)), "{url}: {failure}");
    }
}

#[tokio::test]
async fn who_listens_on_this_machine_hears_nothing_whatever_it_is_called() {
    let here = listener("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    // TLS may be left out, so nothing but the guard is in the way.
    let rules = Rules { allowed: Vec::new(), is_plain_allowed: true };
    for answer in ["127.0.0.1", "::1", "::ffff:127.0.0.1", "0.0.0.0", "::"] {
        let way_out = guarded(rules.clone(), told(&[&[answer]]).0);
        for host in
            ["localhost", "localhost.", "inner.market.example", "127.0.0.1", "2130706433", "[::1]", "0"]
        {
            let url = format!("http://{host}:{}/", here.port);
            way_out.check(&url).await.expect_err(&url);
            let failure = way_out.post(post(&url)).await.expect_err(&url);
            assert!(matches!(failure, Failure::Refused(_)), "{url}: {failure}");
        }
    }
    assert_eq!(here.connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_name_that_was_harmless_when_it_was_named_is_looked_at_again_when_something_is_sent() {
    let here = listener("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let rules = Rules { allowed: Vec::new(), is_plain_allowed: true };
    let (lookup, asked) = told(&[&["93.184.216.34"], &["127.0.0.1"]]);
    let way_out = guarded(rules, lookup);
    let url = format!("http://rebinding.example:{}/", here.port);
    way_out.check(&url).await.expect("harmless by now");
    for _ in 0..3 {
        let failure = way_out.post(post(&url)).await.expect_err("not any more");
        assert!(matches!(failure, Failure::Refused(_)), "{failure}");
    }
    assert_eq!(here.connections.load(Ordering::SeqCst), 0);
    // Once for each question: nobody asks a second time after the guard has looked.
    assert_eq!(asked.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn a_name_with_one_harmless_and_one_hostile_address_is_refused() {
    let here = listener("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let rules = Rules { allowed: Vec::new(), is_plain_allowed: true };
    for answer in [&["93.184.216.34", "127.0.0.1"][..], &["::1", "2606:4700::1111"]] {
        let way_out = guarded(rules.clone(), told(&[answer]).0);
        let url = format!("http://both.example:{}/", here.port);
        way_out.check(&url).await.expect_err(&url);
        assert!(matches!(way_out.post(post(&url)).await, Err(Failure::Refused(_))));
    }
    assert_eq!(here.connections.load(Ordering::SeqCst), 0);
}

/// This machine may be posted to, as in development: the way to see what is sent and what is made of the answer.
fn open_here(lookup: impl Lookup) -> Guarded {
    let allowed = vec!["127.0.0.0/8".parse().expect("a network")];
    guarded(Rules { allowed, is_plain_allowed: true }, lookup)
}

#[tokio::test]
async fn what_is_allowed_is_connected_to_at_the_address_that_the_guard_saw() {
    let here = listener("HTTP/1.1 503 Busy\r\nretry-after: 90\r\ncontent-length: 5\r\n\r\nlater").await;
    let (lookup, asked) = told(&[&["127.0.0.1"], &["10.0.0.1"]]);
    let way_out = open_here(lookup);
    let reply = way_out.post(post(&format!("http://receiver.example:{}/in?x=1", here.port))).await;
    let reply = reply.expect("an answer");
    assert_eq!((reply.status, reply.retry_after), (503, Some(Duration::from_secs(90))));
    assert_eq!(reply.text, "later");
    assert_eq!(asked.load(Ordering::SeqCst), 1, "it is asked once what the name stands for");
    let heard = here.requests.lock().expect("unbroken").remove(0).to_lowercase();
    assert!(heard.starts_with("post /in?x=1 http/1.1\r\n"), "{heard}");
    assert!(heard.contains(&format!("host: receiver.example:{}\r\n", here.port)), "{heard}");
    assert!(heard.contains("x-test: 1\r\n") && heard.contains("user-agent: anteroom/"), "{heard}");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_followed() {
    let secret = listener("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret").await;
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
        let location = format!("http://127.0.0.1:{}/", secret.port);
        let answer = format!("HTTP/1.1 {status}\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
        let here = listener(answer.leak()).await;
        let url = format!("http://127.0.0.1:{}/", here.port);
        let reply = open_here(told(&[&["127.0.0.1"]]).0).post(post(&url)).await.expect("an answer");
        assert!((301..=308).contains(&reply.status), "{}", reply.status);
    }
    assert_eq!(secret.connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn of_an_endless_answer_a_thousand_bytes_are_read() {
    let endless: &'static str =
        format!("HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n{}", "x".repeat(200_000)).leak();
    let here = listener(endless).await;
    let url = format!("http://127.0.0.1:{}/", here.port);
    let reply = open_here(told(&[&["127.0.0.1"]]).0).post(post(&url)).await.expect("an answer");
    assert_eq!((reply.status, reply.text.len()), (200, ANSWER_BYTES));
}

#[tokio::test]
async fn an_answer_is_text_that_can_be_kept_whatever_its_bytes_are() {
    let here = listener("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\na\0b\x01c").await;
    let url = format!("http://127.0.0.1:{}/", here.port);
    let reply = open_here(told(&[&["127.0.0.1"]]).0).post(post(&url)).await.expect("an answer");
    assert_eq!(reply.text, "a\u{fffd}b\x01c");
}

#[tokio::test]
async fn the_host_of_an_address_is_what_is_connected_to_and_not_what_it_looks_like() {
    let way_out = open_here(told(&[&["127.0.0.1"]]).0);
    for (url, host) in [
        ("https://push.example/send/1", "push.example"),
        ("https://PUSH.example:8443/", "push.example"),
        ("https://evil.example\\.push.example/", "evil.example"),
        ("https://evil.example/.push.example", "evil.example"),
        ("https://evil.example?.push.example", "evil.example"),
        ("https:evil.example", "evil.example"),
    ] {
        assert_eq!(way_out.host(url).as_deref(), Ok(host), "{url}");
    }
}

#[tokio::test]
async fn without_the_permission_nothing_is_sent_without_tls() {
    let here = listener("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let allowed = vec!["127.0.0.0/8".parse().expect("a network")];
    let way_out = guarded(Rules { allowed, is_plain_allowed: false }, told(&[&["127.0.0.1"]]).0);
    let url = format!("http://127.0.0.1:{}/", here.port);
    way_out.check(&url).await.expect_err("no TLS");
    assert!(matches!(way_out.post(post(&url)).await, Err(Failure::Refused(_))));
    assert_eq!(here.connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn who_is_not_there_is_told_from_who_is_refused() {
    let free =
        TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("an address").port();
    let url = format!("http://127.0.0.1:{free}/");
    let failure = open_here(told(&[&["127.0.0.1"]]).0).post(post(&url)).await.expect_err("nobody there");
    assert!(matches!(&failure, Failure::Unreachable(why) if why.contains("refused")), "{failure}");
    let failure =
        open_here(told(&[&[]]).0).post(post("http://nowhere.example/")).await.expect_err("no address");
    assert!(matches!(&failure, Failure::Unreachable(why) if why.contains("no address")), "{failure}");
}
