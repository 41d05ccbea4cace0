//! The client against a small server that says whatever a test wants; every body is judged by the discovery document.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use beadle_enrollment::android::{Binding, Mode as EnrolmentMode, TokenRequest};
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use super::command::{encode, encode_wipe, tests::release};
use super::discovery::Discovery;
use super::key::tests::key_file;
use super::message::Outcome;
use super::retry::Patience;
use super::*;
use crate::clock::Clock;
use crate::config::GoogleSettings;
use crate::error::Error;
use crate::model::{CommandId, CommandKind, Mode, Ownership, Scope};
use crate::platform::Command;

mod calls;
mod pubsub;
mod repeats;
mod tokens;

const ENTERPRISE: &str = "enterprises/LC01";
const DEVICE: &str = "enterprises/LC01/devices/3a5f";
const OPERATION: &str = "enterprises/LC01/devices/3a5f/operations/17";
const TOPIC: &str = "projects/beadle-council/topics/beadle";
const SUBSCRIPTION: &str = "projects/beadle-council/subscriptions/beadle";

/// What the server does with a request.
#[derive(Clone, Debug)]
enum Reply {
    Json(u16, Value),
    Text(u16, &'static str),
    RetryAfter(u16, u32),
    /// Reads the request and closes the connection.
    Drop,
    /// Says that much will come, and sends less.
    Break,
    /// Reads the request and says nothing.
    Hang,
}

fn error(status: u16, word: &str, message: &str) -> Reply {
    Reply::Json(status, json!({ "error": { "code": status, "message": message, "status": word } }))
}

#[derive(Clone, Debug)]
struct Request {
    method: String,
    path: String,
    query: Vec<(String, String)>,
    headers: String,
    body: Vec<u8>,
}

impl Request {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }

    fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

#[derive(Default)]
struct Script {
    /// What comes next; an empty object where nothing is left.
    replies: VecDeque<Reply>,
    /// The same for the token endpoint; tokens where nothing is left.
    token_replies: VecDeque<Reply>,
    seen: Vec<Request>,
    tokens: Vec<Request>,
}

struct Stage {
    client: GoogleClient,
    script: Arc<Mutex<Script>>,
    paced: Arc<AtomicU32>,
    clock: Clock,
    public: PKey<Private>,
    token_uri: String,
}

const QUICK: Patience = Patience {
    attempts: 4,
    first_wait: Duration::from_millis(4),
    longest_wait: Duration::from_millis(1500),
    last_start: Duration::from_secs(30),
    connect: Duration::from_secs(2),
    call: Duration::from_millis(600),
    pull: Duration::from_millis(900),
};

async fn stage() -> Stage {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let script = Arc::new(Mutex::new(Script::default()));
    tokio::spawn(serve(listener, script.clone()));
    let base: Url = format!("http://{address}").parse().expect("an address");
    let token_uri = format!("http://{address}/token");
    let file = key_file(&token_uri);
    let public = PKey::private_key_from_pem(file["private_key"].as_str().expect("text").as_bytes()).expect("a key");
    let key = ServiceAccountKey::parse(file.to_string().as_bytes()).expect("a key");
    let paced = Arc::new(AtomicU32::new(0));
    let counter = paced.clone();
    let pace = Pace::new(move || {
        counter.fetch_add(1, Ordering::SeqCst);
        std::future::ready(Ok(()))
    });
    let settings = GoogleSettings { api_url: base.clone(), pubsub_url: base, extra_roots: Vec::new() };
    let clock = Clock::default();
    let client = GoogleClient::with_patience(&settings, key, clock.clone(), pace, QUICK).expect("a client");
    Stage { client, script, paced, clock, public, token_uri }
}

async fn serve(listener: TcpListener, script: Arc<Mutex<Script>>) {
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        tokio::spawn(answer(stream, script.clone()));
    }
}

async fn answer(mut stream: TcpStream, script: Arc<Mutex<Script>>) -> Option<()> {
    let request = read(&mut stream).await?;
    let reply = {
        let mut script = script.lock().expect("a script");
        if request.path == "/token" {
            script.tokens.push(request);
            let granted = json!({ "access_token": format!("token-{}", script.tokens.len()), "expires_in": 3599 });
            script.token_replies.pop_front().unwrap_or(Reply::Json(200, granted))
        } else {
            script.seen.push(request);
            script.replies.pop_front().unwrap_or(Reply::Json(200, json!({})))
        }
    };
    let (status, extra, body, length) = match reply {
        Reply::Json(status, body) => (status, String::new(), body.to_string(), 0),
        Reply::Text(status, body) => (status, String::new(), body.to_owned(), 0),
        Reply::RetryAfter(status, seconds) => (status, format!("retry-after: {seconds}\r\n"), "{}".to_owned(), 0),
        Reply::Break => (200, String::new(), "{\"name\":".to_owned(), 100),
        Reply::Drop => return None,
        Reply::Hang => {
            tokio::time::sleep(Duration::from_secs(20)).await;
            return None;
        }
    };
    let length = body.len() + length;
    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n{extra}\r\n");
    stream.write_all(format!("{head}{body}").as_bytes()).await.ok()?;
    stream.shutdown().await.ok()
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let plain = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let length: usize = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"))
        .and_then(|length| length.trim().parse().ok())
        .unwrap_or(0);
    while bytes.len() < end + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let mut words = plain.split_whitespace();
    let method = words.next()?.to_owned();
    let url = Url::parse(&format!("http://x{}", words.next()?)).ok()?;
    let query = url.query_pairs().map(|(key, value)| (key.into_owned(), value.into_owned())).collect();
    Some(Request { method, path: url.path().to_owned(), query, headers: head, body: bytes[end..].to_vec() })
}

impl Stage {
    fn replies(&self, replies: impl IntoIterator<Item = Reply>) {
        self.script.lock().expect("a script").replies.extend(replies);
    }

    fn token_replies(&self, replies: impl IntoIterator<Item = Reply>) {
        self.script.lock().expect("a script").token_replies.extend(replies);
    }

    fn seen(&self) -> Vec<Request> {
        std::mem::take(&mut self.script.lock().expect("a script").seen)
    }

    fn tokens(&self) -> Vec<Request> {
        std::mem::take(&mut self.script.lock().expect("a script").tokens)
    }

    fn paced(&self) -> u32 {
        self.paced.swap(0, Ordering::SeqCst)
    }

    /// The one request that was made, which the discovery document has no complaint about.
    fn only(&self) -> Request {
        let seen = self.seen();
        assert_eq!(seen.len(), 1, "{seen:?}");
        judge(&seen[0]);
        seen[0].clone()
    }
}

fn judge(request: &Request) {
    Discovery::with(|discovery| {
        let problems = discovery.request_problems(&request.method, &request.path, &request.query, &request.body);
        assert_eq!(problems, Vec::<String>::new(), "{}", request.line());
    });
}

fn lock() -> command::Message {
    let id = CommandId::from("01890000-0000-7000-8000-000000000001");
    let command = Command { id: &id, kind: CommandKind::DeviceLock, payload: &Value::Null, data: None };
    encode(Mode::FullyManaged, Ownership::Council, &command).expect("a lock")
}

fn operation() -> Reply {
    Reply::Json(200, json!({ "name": OPERATION, "metadata": { "type": "LOCK" } }))
}
