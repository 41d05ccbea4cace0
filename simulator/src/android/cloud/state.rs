//! Everything Google knows, behind one lock.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use serde_json::{Map, Value};
use tokio::sync::Notify;

use super::faults::Faults;
use super::log::CallRecord;
use super::pubsub::{PubSub, PubSubBehaviour};
use super::refusal::Refusal;
use super::token::{Account, Grant};

/// Two clocks, in milliseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// For tokens, quota and Pub/Sub's deadlines.
    pub(crate) now: i64,
    /// For enterprises, devices and commands: moves with [`super::GoogleCloud::move_clock`].
    pub(crate) world: i64,
}

pub(crate) struct State {
    pub(crate) token_uri: String,
    pub(crate) token_lifetime: i64,
    pub(crate) accounts: Vec<Account>,
    pub(crate) grants: HashMap<String, Grant>,
    pub(crate) sign_ups: BTreeMap<String, SignUp>,
    pub(crate) enterprises: BTreeMap<String, Enterprise>,
    pub(crate) pubsub: PubSub,
    pub(crate) behaviour: PubSubBehaviour,
    pub(crate) settings: Settings,
    pub(crate) queries: HashMap<String, VecDeque<i64>>,
    pub(crate) faults: Faults,
    pub(crate) log: Vec<CallRecord>,
    pub(crate) calls: u64,
    pub(crate) violations: Vec<String>,
    pub(crate) judgement: super::Judgement,
    /// How far the world's clock is ahead.
    pub(crate) ahead: i64,
    pub(crate) not_found: u32,
}

/// What a test may set.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) quota: usize,
    pub(crate) quota_window: i64,
    pub(crate) not_found_as_500: u32,
    pub(crate) device_limit: Option<usize>,
    pub(crate) pull_wait: std::time::Duration,
    pub(crate) notify_unfinished: bool,
    pub(crate) operations_vanish: bool,
}

pub(crate) struct SignUp {
    pub(crate) project: String,
    pub(crate) url: String,
    pub(crate) callback: String,
    pub(crate) organisation: String,
    pub(crate) enterprise_token: Option<String>,
    pub(crate) used: bool,
}

#[derive(Default)]
pub(crate) struct Enterprise {
    pub(crate) project: String,
    pub(crate) resource: Value,
    pub(crate) policies: BTreeMap<String, Policy>,
    pub(crate) tokens: BTreeMap<String, EnrolmentToken>,
    pub(crate) devices: BTreeMap<String, Device>,
    /// Devices deleted by a call, which the phone has not heard of yet.
    pub(crate) deleted: HashMap<String, Deleted>,
    /// Operations of devices that are gone.
    pub(crate) past: HashMap<String, Vec<Operation>>,
    /// Physical phones by serial number, with the names of their devices, oldest first.
    pub(crate) known: HashMap<String, Vec<String>>,
}

#[derive(Clone)]
pub(crate) struct Policy {
    pub(crate) body: Arc<Value>,
    pub(crate) version: i64,
}

pub(crate) struct EnrolmentToken {
    pub(crate) value: String,
    pub(crate) policy: String,
    pub(crate) additional_data: Option<String>,
    pub(crate) allow_personal_usage: String,
    pub(crate) one_time: bool,
    pub(crate) used: u32,
    pub(crate) expires: i64,
    pub(crate) qr_code: String,
    pub(crate) duration: Option<String>,
}

pub(crate) struct Device {
    /// What the phone said last.
    pub(crate) reported: Map<String, Value>,
    /// What was settled at enrolment.
    pub(crate) fixed: Map<String, Value>,
    pub(crate) policy: String,
    pub(crate) state: String,
    pub(crate) disabled_reason: Option<Value>,
    pub(crate) operations: Vec<Operation>,
    pub(crate) phone: PhoneLink,
}

/// How the phone proves itself, and how it is woken.
#[derive(Clone)]
pub(crate) struct PhoneLink {
    pub(crate) credential: u64,
    pub(crate) wake: Arc<Notify>,
}

pub(crate) struct Deleted {
    pub(crate) at: i64,
    pub(crate) phone: PhoneLink,
    pub(crate) flags: Vec<String>,
    pub(crate) reason: Option<String>,
}

#[derive(Clone)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) command: Map<String, Value>,
    pub(crate) expires: i64,
    pub(crate) stage: Stage,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The phone does not have it.
    Waiting,
    /// The phone has it.
    Delivered,
    /// Over: without error, or with google.rpc.Code and words.
    Done(Option<(i32, String)>),
}

impl State {
    /// The enterprise, if it is this project's.
    pub(crate) fn enterprise(&mut self, id: &str, project: &str) -> Result<&mut Enterprise, Refusal> {
        let found = self.enterprises.get_mut(id).filter(|enterprise| enterprise.project == project);
        found.ok_or_else(Refusal::not_your_enterprise)
    }

    /// Remembers a fault of the server that no test should have to look for.
    pub(crate) fn violation(&mut self, words: String) {
        tracing::warn!(%words, "the server is at fault");
        self.violations.push(words);
    }
}

/// The part of a name after its last slash, if the rest is as expected; an id alone is taken too.
pub(crate) fn id_of<'a>(name: &'a str, parent: &str) -> Option<&'a str> {
    match name.rsplit_once('/') {
        None => Some(name).filter(|name| !name.is_empty()),
        Some((before, id)) => (before == parent && !id.is_empty()).then_some(id),
    }
}

/// The entries of one page, and the token of the next.
pub(crate) type Page<'a, T> = (Vec<(&'a String, &'a T)>, Option<String>);

/// One page of a sorted map: the entries after the token, as many as asked for, and the next token.
pub(crate) fn page<'a, T>(
    map: &'a BTreeMap<String, T>,
    query: &[(String, String)],
    usual: usize,
) -> Result<Page<'a, T>, Refusal> {
    let value = |name: &str| query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let size = match value("pageSize").map(str::parse::<i32>) {
        None | Some(Ok(0)) => usual,
        Some(Ok(size)) if size > 0 => usize::try_from(size).unwrap_or(usual).min(100),
        _ => return Err(Refusal::invalid("pageSize must not be negative.")),
    };
    let after = match value("pageToken").filter(|token| !token.is_empty()) {
        None => None,
        Some(token) => {
            let octets = hex::decode(token).map_err(|_| Refusal::invalid("Invalid page token."))?;
            Some(String::from_utf8(octets).map_err(|_| Refusal::invalid("Invalid page token."))?)
        }
    };
    let bound = match &after {
        Some(key) => (std::ops::Bound::Excluded(key.clone()), std::ops::Bound::Unbounded),
        None => (std::ops::Bound::Unbounded, std::ops::Bound::Unbounded),
    };
    let mut entries: Vec<(&String, &T)> = map.range(bound).take(size + 1).collect();
    let more = entries.len() > size;
    entries.truncate(size);
    let next = entries.last().filter(|_| more).map(|(key, _)| hex::encode(key.as_str()));
    Ok((entries, next))
}

/// A list's answer: absent when empty, as Google writes it.
pub(crate) fn listed(name: &str, items: Vec<Value>, next: Option<String>) -> Value {
    let mut answer = Map::new();
    if !items.is_empty() {
        answer.insert(name.to_owned(), Value::Array(items));
    }
    if let Some(next) = next {
        answer.insert("nextPageToken".to_owned(), Value::String(next));
    }
    Value::Object(answer)
}
