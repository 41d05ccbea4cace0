//! A small client of the JSON API: what the demo and the journeys in `tests/` speak to the server with.

use std::fmt;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use totp_rs::{Builder, Secret};

use crate::clock::Clock;

/// What the API refused, or why it could not be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status; 0 when there was no answer.
    pub status: u16,
    /// What it said.
    pub detail: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} (status {})", self.detail, self.status)
    }
}

impl std::error::Error for Refusal {}

/// A client of one server, with or without a sign-in. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Api {
    client: reqwest::Client,
    base: String,
    bearer: Option<String>,
}

impl Api {
    /// A client for the server at `base`, which shows a certificate made by `root_pem`.
    pub fn new(base: &str, root_pem: &str) -> Result<Self, Refusal> {
        let trouble = |problem: reqwest::Error| Refusal { status: 0, detail: problem.to_string() };
        let root = reqwest::Certificate::from_pem(root_pem.as_bytes()).map_err(trouble)?;
        let client = reqwest::Client::builder()
            .tls_certs_merge([root])
            .timeout(Duration::from_secs(30))
            .build()
            .map_err(trouble)?;
        Ok(Self { client, base: base.to_owned(), bearer: None })
    }

    /// The same client with a session's or program's token.
    #[must_use]
    pub fn with_bearer(&self, token: &str) -> Self {
        Self { bearer: Some(token.to_owned()), ..self.clone() }
    }

    /// The server's address.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Sends one request; the answer's status and JSON, whatever they are.
    pub async fn raw(&self, method: Method, path: &str, body: Option<&Value>) -> Result<(u16, Value), Refusal> {
        self.send(method, path, body, None).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        idempotency_key: Option<&str>,
    ) -> Result<(u16, Value), Refusal> {
        let trouble = |problem: reqwest::Error| Refusal { status: 0, detail: format!("{problem:?}") };
        let mut request = self.client.request(method, format!("{}/api/v1{path}", self.base));
        if let Some(bearer) = &self.bearer {
            request = request.bearer_auth(bearer);
        }
        if let Some(key) = idempotency_key {
            request = request.header("idempotency-key", key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.map_err(trouble)?;
        let status = answer.status().as_u16();
        let text = answer.text().await.map_err(trouble)?;
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Refusal> {
        self.raw(method, path, body).await.and_then(accepted)
    }

    /// A page, as a browser opens it.
    pub async fn page(&self, url: &str) -> Result<String, Refusal> {
        self.browse(self.client.get(url)).await
    }

    /// The page that answers a form, as a browser sends it.
    pub async fn submit(&self, url: &str, fields: &[(&str, &str)]) -> Result<String, Refusal> {
        self.browse(self.client.post(url).form(fields)).await
    }

    async fn browse(&self, request: reqwest::RequestBuilder) -> Result<String, Refusal> {
        let trouble = |problem: reqwest::Error| Refusal { status: 0, detail: format!("{problem:?}") };
        let answer = request.send().await.map_err(trouble)?;
        let status = answer.status();
        let text = answer.text().await.map_err(trouble)?;
        if status.is_success() { Ok(text) } else { Err(Refusal { status: status.as_u16(), detail: text }) }
    }

    /// Reads.
    pub async fn get(&self, path: &str) -> Result<Value, Refusal> {
        self.ask(Method::GET, path, None).await
    }

    /// Makes or does something.
    pub async fn post(&self, path: &str, body: Value) -> Result<Value, Refusal> {
        self.ask(Method::POST, path, Some(&body)).await
    }

    /// Makes or does something once, however often this is called with the same `key`.
    pub async fn post_once(&self, path: &str, body: &Value, key: &str) -> Result<Value, Refusal> {
        self.send(Method::POST, path, Some(body), Some(key)).await.and_then(accepted)
    }

    /// Changes something.
    pub async fn patch(&self, path: &str, body: Value) -> Result<Value, Refusal> {
        self.ask(Method::PATCH, path, Some(&body)).await
    }

    /// Sets something.
    pub async fn put(&self, path: &str, body: Value) -> Result<Value, Refusal> {
        self.ask(Method::PUT, path, Some(&body)).await
    }

    /// Ends something.
    pub async fn delete(&self, path: &str) -> Result<Value, Refusal> {
        self.ask(Method::DELETE, path, None).await
    }
}

fn accepted((status, answer): (u16, Value)) -> Result<Value, Refusal> {
    if (200..=299).contains(&status) {
        return Ok(answer);
    }
    let detail = answer.get("detail").or_else(|| answer.get("title")).and_then(Value::as_str);
    Err(Refusal { status, detail: detail.map_or_else(|| answer.to_string(), str::to_owned) })
}

/// The text at `pointer` of an answer (RFC 6901), or a refusal that names what is missing.
pub fn text(answer: &Value, pointer: &str) -> Result<String, Refusal> {
    answer
        .pointer(pointer)
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| Refusal { status: 0, detail: format!("the answer has no {pointer}: {answer}") })
}

/// A person with an account: password, authenticator, and a session.
#[derive(Clone)]
pub struct Person {
    /// The session.
    pub api: Api,
    /// The sign-in name.
    pub login: String,
    /// The password.
    pub password: String,
    /// The authenticator's secret, base32.
    pub secret: String,
    clock: Clock,
}

impl Person {
    /// Goes through the first sign-in as a person would: initial password, own password, authenticator, sign-in again.
    pub async fn first_sign_in(api: &Api, login: &str, initial: &str, clock: &Clock) -> Result<Self, Refusal> {
        let password = format!("tin mine tide {}", uuid::Uuid::now_v7().simple());
        let first = api.post("/sessions", json!({ "login": login, "password": initial })).await?;
        let session = api.with_bearer(&text(&first, "/token")?);
        session.post("/account/password", json!({ "current": initial, "new": password })).await?;
        // A changed password ends other sessions; a new sign-in is what a person would do.
        let again = api.post("/sessions", json!({ "login": login, "password": password })).await?;
        let session = api.with_bearer(&text(&again, "/token")?);
        let secret = text(&session.post("/account/totp", json!({})).await?, "/secret")?;
        let mut person = Self { api: session, login: login.to_owned(), password, secret, clock: clock.clone() };
        // Each code counts once, so the set-up takes the one before and the sign-in the present one.
        person.api.post("/account/totp/confirm", json!({ "code": person.code(-1)? })).await?;
        person.sign_in(api).await?;
        Ok(person)
    }

    /// Somebody who has an account already, and is not signed in.
    pub fn known(api: &Api, login: &str, password: &str, secret: &str, clock: &Clock) -> Self {
        let (login, password, secret) = (login.to_owned(), password.to_owned(), secret.to_owned());
        Self { api: api.clone(), login, password, secret, clock: clock.clone() }
    }

    /// The authenticator's code, `steps` half-minutes from now.
    pub fn code(&self, steps: i64) -> Result<String, Refusal> {
        let trouble = |problem: &dyn fmt::Display| Refusal { status: 0, detail: problem.to_string() };
        let secret = Secret::try_from_base32(&self.secret).map_err(|problem| trouble(&problem))?;
        let totp = Builder::new()
            .with_secret(secret)
            .with_account_name(self.login.as_str())
            .build()
            .map_err(|problem| trouble(&problem))?;
        let time = self.clock.now().unix() + steps * 30;
        Ok(totp.generate(u64::try_from(time).unwrap_or(0)).to_string())
    }

    /// Signs in with password and the present code.
    pub async fn sign_in(&mut self, api: &Api) -> Result<(), Refusal> {
        let answer = api
            .post("/sessions", json!({ "login": self.login, "password": self.password, "totp": self.code(0)? }))
            .await?;
        self.api = api.with_bearer(&text(&answer, "/token")?);
        Ok(())
    }
}
