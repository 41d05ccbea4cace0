//! Speaks the JSON API for the commands: fills in the council, signs in, repeats nothing by accident, reads page by page.

use std::path::PathBuf;

use reqwest::{Client, StatusCode};
use serde_json::{Map, Value, json};

use super::endpoints::{self, Endpoint};
use super::output;
use super::{Answer, Common, Refusal, prompt, session};
use crate::serve::Running;

/// The kind of problem that a new showing of password and code solves.
const CONFIRM_FIRST: &str = "urn:beadle:problem:confirm-first";
/// How many items are asked for at once.
const PAGE: &str = "200";

/// A way to the API.
pub(super) struct Api {
    client: Client,
    base: String,
    /// Where the server is, in words.
    place: String,
    token_file: PathBuf,
    token: std::sync::Mutex<Option<String>>,
    /// Present when no server runs and this command brought its own.
    own: Option<Running>,
    pub(super) common: Common,
}

/// Why a request was not answered with success.
struct Problem {
    status: StatusCode,
    kind: String,
    text: String,
}

impl Api {
    pub(super) fn new(
        common: &Common,
        client: Client,
        base: String,
        place: String,
        token_file: PathBuf,
        own: Option<Running>,
    ) -> Answer<Self> {
        let token = if common.without_sign_in { None } else { session::read(&token_file)? };
        let token = std::sync::Mutex::new(token);
        Ok(Self { client, base, place, token_file, token, own, common: common.clone() })
    }

    /// Ends the server that this command brought, if it did.
    pub(super) async fn close(self) -> Answer {
        match self.own {
            Some(running) => Ok(running.stop().await?),
            None => Ok(()),
        }
    }

    /// Refuses what only a running server does.
    pub(super) fn needs_server(&self) -> Answer {
        if self.own.is_none() {
            return Ok(());
        }
        Err(Refusal::Said(
            "start the server first (`beadle serve`): no server is running on this data folder, and this is done by a \
             running one only"
                .to_owned(),
        ))
    }

    /// The sign-in of this command.
    pub(super) fn token(&self) -> Option<String> {
        self.token.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Takes on a sign-in, or forgets it, for the rest of this command.
    pub(super) fn set_token(&self, token: Option<String>) {
        *self.token.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = token;
    }

    /// Keeps the sign-in for the commands after this one, or forgets it.
    pub(super) fn keep_token(&self) -> Answer {
        match self.token() {
            Some(token) => session::keep(&self.token_file, &token),
            None => session::forget(&self.token_file),
        }
    }

    /// Whether a kept sign-in ended and access to the data folder may do instead. A sign-in that a script was given is
    /// never replaced by another right.
    fn sign_in_is_over(&self, problem: &Problem) -> bool {
        problem.status == StatusCode::UNAUTHORIZED
            && self.common.server.is_none()
            && self.token().is_some()
            && std::env::var_os(session::VARIABLE).is_none()
    }

    fn go_on_without_sign_in(&self) -> Answer {
        eprintln!("Your sign-in is over; going on as the owner of the data folder, who can set up and read.");
        self.set_token(None);
        self.keep_token()
    }

    /// Sends a request with the fields of `body` that are not null, and gives back the answer's JSON.
    pub(super) async fn call(&self, endpoint: &Endpoint, parts: &[&str], body: Value) -> Answer<Value> {
        let path = self.path(endpoint, parts).await?;
        let body = without_nulls(endpoint, body);
        match self.send(endpoint, &path, body.as_ref()).await? {
            Ok(answer) => Ok(answer),
            Err(problem) if self.sign_in_is_over(&problem) => {
                self.go_on_without_sign_in()?;
                self.send(endpoint, &path, body.as_ref()).await?.map_err(Problem::refusal)
            }
            Err(problem) if problem.kind == CONFIRM_FIRST && self.may_ask() => {
                self.confirm().await?;
                self.send(endpoint, &path, body.as_ref()).await?.map_err(Problem::refusal)
            }
            Err(problem) => Err(problem.refusal()),
        }
    }

    /// Ends the sign-in at the server. One that is over there already has ended as well.
    pub(super) async fn sign_out(&self) -> Answer {
        match self.send(&endpoints::SIGN_OUT, endpoints::SIGN_OUT.path, None).await? {
            Err(problem) if problem.status != StatusCode::UNAUTHORIZED => Err(problem.refusal()),
            _ => Ok(()),
        }
    }

    /// A call without a body.
    pub(super) async fn get(&self, endpoint: &Endpoint, parts: &[&str]) -> Answer<Value> {
        self.call(endpoint, parts, Value::Null).await
    }

    /// A single thing, asked for with `query`.
    pub(super) async fn get_with(&self, endpoint: &Endpoint, parts: &[&str], query: &[(&str, &str)]) -> Answer<Value> {
        debug_assert!(query.iter().all(|(name, _)| endpoint.can_ask(name)), "{} is not asked that", endpoint.path);
        let mut address = url::form_urlencoded::Serializer::new(String::new());
        address.extend_pairs(query);
        let path = format!("{}?{}", self.path(endpoint, parts).await?, address.finish());
        match self.send(endpoint, &path, None).await? {
            Err(problem) if self.sign_in_is_over(&problem) => {
                self.go_on_without_sign_in()?;
                self.send(endpoint, &path, None).await?.map_err(Problem::refusal)
            }
            answer => answer.map_err(Problem::refusal),
        }
    }

    fn may_ask(&self) -> bool {
        self.token().is_some() && (self.common.confirm || prompt::at_terminal())
    }

    /// Shows password and code again, which counts for five minutes.
    async fn confirm(&self) -> Answer {
        eprintln!("This needs your password and code once more.");
        let password = prompt::secret("Password", self.common.password_stdin)?;
        let given = match &self.common.totp {
            Some(code) => code.clone(),
            None => prompt::line("Code of your authenticator app")?,
        };
        let (totp, recovery) = prompt::second_factor(&given);
        let body = without_nulls(
            &endpoints::CONFIRM,
            json!({ "password": *password, "totp": totp, "recovery_code": recovery }),
        );
        let sent = self.send(&endpoints::CONFIRM, endpoints::CONFIRM.path, body.as_ref()).await?;
        sent.map(drop).map_err(Problem::refusal)
    }

    async fn path(&self, endpoint: &Endpoint, parts: &[&str]) -> Answer<String> {
        if !endpoint.offline {
            self.needs_server()?;
        }
        let mut path = endpoint.path.to_owned();
        if path.contains("{council}") {
            path = path.replace("{council}", &escaped(&self.council().await?));
        }
        for part in parts {
            let (Some(start), Some(end)) = (path.find('{'), path.find('}')) else { break };
            path.replace_range(start..=end, &escaped(part));
        }
        Ok(path)
    }

    /// Sends it once. There is no Idempotency-Key, because nothing is repeated: with one the server would keep its answer,
    /// which may be a password or a link that is shown this once.
    async fn send(&self, endpoint: &Endpoint, path: &str, body: Option<&Value>) -> Answer<Result<Value, Problem>> {
        let mut request = self.client.request(endpoint.method.clone(), format!("{}/api/v1{path}", self.base));
        if let Some(token) = self.token() {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.map_err(|problem| self.no_answer(&problem))?;
        let status = answer.status();
        let bytes = answer.bytes().await.map_err(|problem| self.no_answer(&problem))?;
        if !status.is_success() {
            return Ok(Err(Problem::read(status, &bytes)));
        }
        if bytes.is_empty() {
            return Ok(Ok(Value::Null));
        }
        serde_json::from_slice(&bytes)
            .map(Ok)
            .map_err(|problem| Refusal::Said(format!("the server's answer is no JSON: {problem}")))
    }

    fn no_answer(&self, problem: &reqwest::Error) -> Refusal {
        let mut cause: &dyn std::error::Error = problem;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        Refusal::Said(format!("the server at {} does not answer: {cause}", self.place))
    }

    /// All items of a list. `query` narrows it.
    pub(super) async fn all(&self, endpoint: &Endpoint, parts: &[&str], query: &[(&str, &str)]) -> Answer<Vec<Value>> {
        let mut items = Vec::new();
        self.pages(endpoint, parts, query, |page| {
            items.extend(page);
            Ok(())
        })
        .await?;
        Ok(items)
    }

    /// Gives a list to `each`, page after page, so that a long one need not fit into memory.
    pub(super) async fn pages(
        &self,
        endpoint: &Endpoint,
        parts: &[&str],
        query: &[(&str, &str)],
        mut each: impl FnMut(Vec<Value>) -> Answer,
    ) -> Answer {
        debug_assert!(query.iter().all(|(name, _)| endpoint.can_ask(name)), "{} is not asked that", endpoint.path);
        let path = self.path(endpoint, parts).await?;
        let mut after: Option<String> = None;
        loop {
            let mut address = url::form_urlencoded::Serializer::new(String::new());
            address.append_pair("limit", PAGE);
            address.extend_pairs(query);
            if let Some(after) = &after {
                address.append_pair("after", after);
            }
            match self.send(endpoint, &format!("{path}?{}", address.finish()), None).await? {
                Ok(Value::Array(whole)) => return each(whole),
                Ok(mut page) => {
                    if let Some(Value::Array(items)) = page.get_mut("items").map(Value::take) {
                        each(items)?;
                    }
                    match page.get("next").and_then(Value::as_str) {
                        Some(next) => after = Some(next.to_owned()),
                        None => return Ok(()),
                    }
                }
                Err(problem) if self.sign_in_is_over(&problem) => self.go_on_without_sign_in()?,
                Err(problem) => return Err(problem.refusal()),
            }
        }
    }

    /// The council of this command: the named one, or the only one there is.
    pub(super) async fn council(&self) -> Answer<String> {
        if let Some(council) = &self.common.council {
            return Ok(council.clone());
        }
        let councils = Box::pin(self.all(&endpoints::COUNCILS, &[], &[])).await?;
        match councils.as_slice() {
            [only] => text_of(only, "id"),
            [] => Err(Refusal::Said("there is no council yet; add one with `beadle council add`".to_owned())),
            several => {
                let names: Vec<&str> = several.iter().filter_map(|council| council.get("slug")?.as_str()).collect();
                Err(Refusal::Usage(format!("name the council with --council; there are: {}", names.join(", "))))
            }
        }
    }

    /// The item of a list that is called `name` in `field`, if the list has it. An item's id is a name of it too.
    pub(super) async fn find(&self, endpoint: &Endpoint, name: &str, field: &str, what: &str) -> Answer<Value> {
        let narrowed = [(field, name)];
        let is_id = uuid::Uuid::try_parse(name).is_ok();
        let query: &[(&str, &str)] = if !is_id && endpoint.can_ask(field) { &narrowed } else { &[] };
        let items = self.all(endpoint, &[], query).await?;
        let is = |item: &Value, field: &str| {
            item.get(field).and_then(Value::as_str).is_some_and(|text| text.eq_ignore_ascii_case(name))
        };
        let mut found = items.into_iter().filter(|item| is(item, "id") || is(item, field));
        match (found.next(), found.next()) {
            (Some(one), None) => Ok(one),
            (None, _) => Err(Refusal::Said(format!("there is no {what} called {name:?}"))),
            _ => Err(Refusal::Said(format!("several {what}s are called {name:?}; give the id"))),
        }
    }

    /// The id of what is called `name`; an id is taken as it is.
    pub(super) async fn id(&self, endpoint: &Endpoint, name: &str, field: &str, what: &str) -> Answer<String> {
        if uuid::Uuid::try_parse(name).is_ok() {
            return Ok(name.to_owned());
        }
        text_of(&self.find(endpoint, name, field, what).await?, "id")
    }

    /// Prints all items of a list, as a table or as the API's JSON.
    pub(super) async fn list(&self, endpoint: &Endpoint, parts: &[&str], query: &[(&str, &str)]) -> Answer {
        let items = self.all(endpoint, parts, query).await?;
        if self.common.json {
            return output::json(&json!({ "items": items, "next": null }));
        }
        output::table(&items, &endpoint.columns());
        Ok(())
    }

    /// Prints one thing, field by field, or as the API's JSON.
    pub(super) async fn show(&self, endpoint: &Endpoint, parts: &[&str]) -> Answer {
        let answer = self.get(endpoint, parts).await?;
        self.print(&answer, output::record)
    }

    /// Prints an answer as the API's JSON, or as `people` likes it.
    pub(super) fn print(&self, answer: &Value, people: impl FnOnce(&Value)) -> Answer {
        if self.common.json {
            return output::json(answer);
        }
        people(answer);
        Ok(())
    }
}

impl Problem {
    fn read(status: StatusCode, body: &[u8]) -> Self {
        let problem: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |field: &str| problem.get(field).and_then(Value::as_str).map(str::to_owned);
        let detail = text("detail").unwrap_or_else(|| format!("the server answered {status}"));
        let field = text("field").map(|field| format!("{field}: ")).unwrap_or_default();
        Self { status, kind: text("type").unwrap_or_default(), text: format!("{field}{detail}") }
    }

    fn refusal(self) -> Refusal {
        let hint = match self.status {
            StatusCode::UNAUTHORIZED => " (`beadle login`)",
            StatusCode::FORBIDDEN if self.kind == CONFIRM_FIRST => " (--confirm)",
            _ => "",
        };
        Refusal::Said(format!("{}{hint}", self.text))
    }
}

/// What the server shall not decide on is left out rather than sent as null. Nothing at all becomes no body, unless the
/// request is one that takes fields.
fn without_nulls(endpoint: &Endpoint, body: Value) -> Option<Value> {
    let fields: Map<String, Value> = match body {
        Value::Object(fields) => fields.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        _ => Map::new(),
    };
    debug_assert!(fields.keys().all(|field| endpoint.can_take(field)), "{} does not take {fields:?}", endpoint.path);
    (!endpoint.takes.is_empty()).then_some(Value::Object(fields))
}

/// A text as a part of a path.
fn escaped(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

/// A field of an answer that must be there.
pub(super) fn text_of(value: &Value, field: &str) -> Answer<String> {
    value
        .get(field)
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| Refusal::Said(format!("the server's answer has no {field}")))
}
