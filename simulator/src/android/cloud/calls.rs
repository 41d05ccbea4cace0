//! One call from its first octet to its answer: fault, credentials, quota, form, effect, record.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::Inner;
use super::faults::Fault;
use super::http::{Reply, Request};
use super::log::CallRecord;
use super::refusal::{Answer, Refusal};
use super::route::{self, Call};
use super::state::{Moment, State};
use super::token::{API_SCOPE, PUBSUB_SCOPE};
use crate::android::schema::{Finding, TABLE, check_body, check_query};

/// Which of Google's two addresses was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Api,
    PubSub,
}

/// What a call came to.
struct Outcome {
    status: u16,
    body: Value,
    done: bool,
    project: Option<String>,
    problems: Vec<String>,
    notes: Vec<String>,
}

impl Outcome {
    fn of(answer: Answer, project: Option<String>, notes: Vec<String>) -> Self {
        match answer {
            Ok(body) => Self { status: 200, body, done: true, project, problems: Vec::new(), notes },
            Err(refusal) => {
                let mut problems: Vec<String> = refusal.findings.iter().map(Finding::to_string).collect();
                if problems.is_empty() {
                    problems.push(refusal.message.clone());
                }
                Self { status: refusal.code, body: refusal.body(), done: false, project, problems, notes }
            }
        }
    }
}

pub(crate) async fn answer(inner: Arc<Inner>, service: Service, request: Request) -> Reply {
    let call = match service {
        Service::Api if request.path == "/token" => Some(Call { name: "token".into(), ids: Vec::new() }),
        Service::Api => route::api(&request.method, &request.path),
        Service::PubSub => route::pubsub(&request.method, &request.path),
    };
    let name = call.as_ref().map_or("unknown", |call| call.name.as_str()).to_owned();
    let mut record = CallRecord {
        number: 0,
        at: inner.moment().now,
        method: request.method.clone(),
        path: request.path.clone(),
        query: request.query.clone(),
        body: if name == "token" { String::new() } else { String::from_utf8_lossy(&request.body).into_owned() },
        call: name,
        project: None,
        status: None,
        answer: None,
        done: false,
        fault: None,
        problems: Vec::new(),
        notes: Vec::new(),
    };
    let fault = {
        let mut state = inner.state();
        state.calls += 1;
        record.number = state.calls;
        state.faults.take(&record.call, &record.path)
    };
    record.fault = fault;
    #[cfg(feature = "judge")]
    if service == Service::Api && record.call != "token" {
        judge(&inner, &request);
    }
    match fault {
        Some(Fault::Answer(status)) => {
            record.status = Some(status);
            return finish(&inner, record, refuse(status));
        }
        Some(Fault::Hang) => return finish(&inner, record, Reply::Hang),
        Some(Fault::Reset) => return finish(&inner, record, Reply::Reset),
        Some(Fault::Slow(pause)) => tokio::time::sleep(pause).await,
        _ => {}
    }
    let outcome = match call {
        None => unknown(&inner, service, &request),
        Some(call) if call.name == "token" => token(&inner, &request),
        Some(call) if call.name == "subscriptions.pull" => pull(&inner, &call, &request).await,
        Some(call) => {
            // Read first: it takes the lock, too.
            let moment = inner.moment();
            inner.state().carry_out(service, &call, &request, moment)
        }
    };
    record.project = outcome.project;
    record.done = outcome.done;
    record.notes = outcome.notes;
    record.problems = outcome.problems;
    let reads = outcome.done && (request.method == "GET" || record.call.starts_with("subscriptions."));
    if record.call != "token" && !reads {
        record.answer = Some(outcome.body.clone());
    }
    let body = outcome.body.to_string();
    match fault {
        Some(Fault::AnswerAfter(status)) => {
            record.status = Some(status);
            finish(&inner, record, refuse(status))
        }
        Some(Fault::HangAfter) => finish(&inner, record, Reply::Hang),
        Some(Fault::ResetAfter) => finish(&inner, record, Reply::Reset),
        late => {
            record.status = Some(outcome.status);
            let reply = Reply::Answer { status: outcome.status, body };
            let reply = finish(&inner, record, reply);
            if let Some(Fault::AnswerLate(pause)) = late {
                tokio::time::sleep(pause).await;
            }
            reply
        }
    }
}

/// Judges a request before anything else happens to it, so that what goes wrong later hides no fault of the server's.
#[cfg(feature = "judge")]
fn judge(inner: &Inner, request: &Request) {
    let found = crate::android::judge::problems(request);
    let judgement = &mut inner.state().judgement;
    judgement.requests += 1;
    judgement.bodies += u64::from(!request.body.is_empty());
    judgement.refused.extend(found);
}

fn refuse(status: u16) -> Reply {
    Reply::Answer { status, body: Refusal::usual(status).body().to_string() }
}

fn finish(inner: &Inner, record: CallRecord, reply: Reply) -> Reply {
    tracing::debug!(call = %record.call, status = ?record.status, fault = ?record.fault, "google");
    inner.state().log.push(record);
    reply
}

fn unknown(inner: &Inner, service: Service, request: &Request) -> Outcome {
    let words = format!("{service:?}: no such method: {} {}", request.method, request.path);
    inner.state().violation(words.clone());
    Outcome::of(Err(Refusal::not_found()), None, vec![words])
}

fn token(inner: &Inner, request: &Request) -> Outcome {
    let moment = inner.moment();
    if request.method != "POST" {
        return Outcome::of(Err(Refusal::not_found()), None, Vec::new());
    }
    let (status, body) = inner.state().token(request.header("content-type"), &request.body, moment.now);
    let problems = if status == 200 { Vec::new() } else { vec![body.to_string()] };
    Outcome { status, body, done: status == 200, project: None, problems, notes: Vec::new() }
}

async fn pull(inner: &Inner, call: &Call, request: &Request) -> Outcome {
    let (wait, bell) = {
        let state = inner.state();
        (state.settings.pull_wait, Arc::clone(&state.pubsub.bell))
    };
    let until = tokio::time::Instant::now() + wait;
    loop {
        let rung = bell.notified();
        tokio::pin!(rung);
        rung.as_mut().enable();
        let now = inner.moment().now;
        let tried = {
            let mut state = inner.state();
            let body = json_body(request);
            state.authorise(request, PUBSUB_SCOPE, now).map(|project| {
                let received = body.and_then(|body| {
                    let immediately = body.get("returnImmediately") == Some(&Value::Bool(true));
                    state.pull(call, &body, &project, now).map(|messages| (messages, immediately))
                });
                (project, received)
            })
        };
        let (project, received) = match tried {
            Ok(tried) => tried,
            Err(refusal) => return Outcome::of(Err(refusal), None, Vec::new()),
        };
        match received {
            Err(refusal) => return Outcome::of(Err(refusal), Some(project), Vec::new()),
            Ok((messages, immediately)) => {
                if !messages.is_empty() || immediately || tokio::time::Instant::now() >= until {
                    let body = if messages.is_empty() {
                        serde_json::json!({})
                    } else {
                        serde_json::json!({ "receivedMessages": messages })
                    };
                    return Outcome::of(Ok(body), Some(project), Vec::new());
                }
            }
        }
        // Deadlines and delays run out without a bell.
        let short = Duration::from_millis(50);
        let _ = tokio::time::timeout(short, rung).await;
    }
}

fn json_body(request: &Request) -> Result<Value, Refusal> {
    if request.body.is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    let kind = request.header("content-type").unwrap_or_default();
    if !kind.starts_with("application/json") {
        return Err(Refusal::invalid(format!("Unsupported content type \"{kind}\".")));
    }
    serde_json::from_slice(&request.body).map_err(|error| Refusal::invalid(format!("Invalid JSON payload: {error}")))
}

impl State {
    /// The project of the caller, if the token is good for this scope.
    fn authorise(&mut self, request: &Request, scope: &str, now: i64) -> Result<String, Refusal> {
        let bearer = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let grant = bearer.and_then(|token| self.grants.get(token)).filter(|grant| grant.expires > now);
        let grant = grant.ok_or_else(Refusal::unauthenticated)?;
        if !grant.scopes.iter().any(|held| held == scope) {
            return Err(Refusal::forbidden("Request had insufficient authentication scopes."));
        }
        Ok(grant.project.clone())
    }

    /// Counts a query of the project; more than the quota in its window are refused, and those do not count.
    fn spend(&mut self, project: &str, now: i64) -> Result<(), Refusal> {
        let spent = self.queries.entry(project.to_owned()).or_default();
        while spent.front().is_some_and(|at| *at <= now - self.settings.quota_window) {
            spent.pop_front();
        }
        if spent.len() >= self.settings.quota {
            return Err(Refusal::exhausted(project));
        }
        spent.push_back(now);
        Ok(())
    }

    fn carry_out(&mut self, service: Service, call: &Call, request: &Request, moment: Moment) -> Outcome {
        let scope = if service == Service::Api { API_SCOPE } else { PUBSUB_SCOPE };
        let project = match self.authorise(request, scope, moment.now) {
            Ok(project) => project,
            Err(refusal) => return Outcome::of(Err(refusal), None, Vec::new()),
        };
        let mut notes = Vec::new();
        let mut answer = match service {
            Service::PubSub => json_body(request).and_then(|body| self.pubsub(call, &body, &project, moment.now)),
            Service::Api => {
                self.spend(&project, moment.now).and_then(|()| self.api(call, request, &project, moment, &mut notes))
            }
        };
        if let Err(refusal) = &mut answer {
            if refusal.code == 400 {
                let words = format!("{} {}: {}", call.name, request.path, refusal.message);
                self.violation(words);
            }
            if refusal.code == 404 && self.settings.not_found_as_500 > 0 {
                self.not_found += 1;
                if self.not_found.is_multiple_of(self.settings.not_found_as_500) {
                    *refusal = refusal.clone().with_code(500, "INTERNAL");
                }
            }
        }
        Outcome::of(answer, Some(project), notes)
    }

    fn api(
        &mut self,
        call: &Call,
        request: &Request,
        project: &str,
        moment: Moment,
        notes: &mut Vec<String>,
    ) -> Answer {
        let query = &request.query;
        let mut findings = check_query(&call.name, query);
        let message = TABLE.methods.get(&call.name).and_then(|method| method.request.as_deref());
        let body = match message {
            Some(message) => {
                let body = json_body(request)?;
                findings.extend(check_body(message, &body));
                body
            }
            None if matches!(request.body.trim_ascii(), b"" | b"{}") => Value::Null,
            None => return Err(Refusal::invalid("This method takes no body.")),
        };
        notes.extend(findings.iter().filter(|finding| !finding.refused).map(Finding::to_string));
        Refusal::unless_fine(findings)?;
        match call.name.as_str() {
            "signupUrls.create" => self.create_sign_up(query, project),
            "enterprises.create" => self.create_enterprise(query, &body, project),
            "enterprises.get" => Ok(self.enterprise(call.id(0), project)?.resource.clone()),
            // Lists EMM-managed enterprises only; those of councils are customer-managed.
            "enterprises.list" => Ok(Value::Object(serde_json::Map::new())),
            "enterprises.patch" => self.patch_enterprise(call, query, &body, project, moment),
            "enterprises.delete" => self.refuse_to_delete_enterprise(call),
            "enterprises.policies.patch" => self.patch_policy(call, query, &body, project),
            "enterprises.policies.get" => self.get_policy(call, project),
            "enterprises.policies.list" => self.list_policies(call, query, project),
            "enterprises.policies.delete" => self.delete_policy(call, project),
            "enterprises.enrollmentTokens.create" => self.create_enrolment_token(call, &body, project, moment),
            "enterprises.enrollmentTokens.get" => self.get_enrolment_token(call, project, moment),
            "enterprises.enrollmentTokens.list" => self.list_enrolment_tokens(call, query, project, moment),
            "enterprises.enrollmentTokens.delete" => self.delete_enrolment_token(call, project),
            "enterprises.devices.get" => self.get_device(call, project),
            "enterprises.devices.list" => self.list_devices(call, query, project),
            "enterprises.devices.patch" => self.patch_device(call, query, &body, project),
            "enterprises.devices.delete" => self.delete_device(call, query, project, moment),
            "enterprises.devices.issueCommand" => self.issue_command(call, &body, project, moment),
            "enterprises.devices.operations.get" => self.get_operation(call, project, moment),
            "enterprises.devices.operations.list" => self.list_operations(call, query, project, moment),
            "enterprises.devices.operations.cancel" => self.cancel_operation(call, &request.body, project, moment),
            other => Err(Refusal::unimplemented(format!("The stand-in does not play {other}."))),
        }
    }
}
