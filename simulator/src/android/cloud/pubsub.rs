//! Pub/Sub: topics, who may publish to them, and subscriptions that deliver at least once and in no order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::sync::Notify;

use super::refusal::{Answer, Refusal};
use super::route::Call;
use super::state::{Moment, State};
use super::time::written;

/// Seconds before a message is delivered again, unless the subscription says otherwise.
const DEADLINE: i64 = 10;
const PUBLISHER_ROLE: &str = "roles/pubsub.publisher";

/// How messages come, when not in order and once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PubSubBehaviour {
    /// Every so many messages one is delivered a second time, with the same id; 0 for none.
    pub duplicate_every: u32,
    /// The newest message comes first.
    pub reverse: bool,
    /// How long a message takes before it can be pulled.
    pub delay: Duration,
    /// How much longer a report of the state DELETED takes.
    pub delay_deleted: Duration,
    /// An acknowledgement is answered well and forgotten, every so many times; 0 for never.
    pub forget_acknowledgement_every: u32,
}

#[derive(Default)]
pub(crate) struct PubSub {
    topics: BTreeMap<String, Topic>,
    subscriptions: BTreeMap<String, Subscription>,
    /// Rings when something was published.
    pub(crate) bell: Arc<Notify>,
    published: u64,
    acknowledged: u64,
    acknowledgements: u32,
    deliveries: u64,
}

#[derive(Default)]
struct Topic {
    /// Role and members.
    bindings: Vec<(String, BTreeSet<String>)>,
    etag: u64,
}

struct Subscription {
    topic: String,
    deadline: i64,
    messages: Vec<Message>,
}

#[derive(Clone)]
struct Message {
    id: String,
    data: Option<String>,
    attributes: Map<String, Value>,
    published: String,
    /// Not before this moment, milliseconds.
    visible: i64,
    delivery: Option<u64>,
    attempts: u32,
}

/// How many messages were published, and how many acknowledged in time, over all subscriptions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct PubSubCounts {
    /// Published, counted once for each subscription; duplicates are not counted.
    pub published: u64,
    /// Acknowledged before the deadline.
    pub acknowledged: u64,
    /// Not acknowledged yet.
    pub waiting: u64,
}

impl PubSub {
    /// Whether a member may publish; `None` when there is no such topic.
    pub(crate) fn may_publish(&self, topic: &str, member: &str) -> Option<bool> {
        let topic = self.topics.get(topic)?;
        let holds = |(role, members): &(String, BTreeSet<String>)| role == PUBLISHER_ROLE && members.contains(member);
        Some(topic.bindings.iter().any(holds))
    }

    pub(crate) fn counts(&self) -> PubSubCounts {
        let waiting = self.subscriptions.values().map(|subscription| subscription.messages.len() as u64).sum();
        PubSubCounts { published: self.published, acknowledged: self.acknowledged, waiting }
    }

    fn publish(&mut self, topic: &str, kind: &str, data: Option<&Value>, now: i64, behaviour: PubSubBehaviour) {
        let deleted = data.is_some_and(|data| data["state"] == "DELETED" || data["appliedState"] == "DELETED");
        let late = if deleted { behaviour.delay + behaviour.delay_deleted } else { behaviour.delay };
        let late = i64::try_from(late.as_millis()).unwrap_or(i64::MAX);
        for subscription in self.subscriptions.values_mut().filter(|subscription| subscription.topic == topic) {
            self.published += 1;
            let mut attributes = Map::new();
            attributes.insert("notificationType".into(), kind.into());
            let message = Message {
                id: (10_000_000_000 + self.published).to_string(),
                data: data.map(|data| STANDARD.encode(data.to_string())),
                attributes,
                published: written(now),
                visible: now.saturating_add(late),
                delivery: None,
                attempts: 0,
            };
            let every = u64::from(behaviour.duplicate_every);
            if every > 0 && self.published.is_multiple_of(every) {
                subscription.messages.push(message.clone());
            }
            subscription.messages.push(message);
        }
        self.bell.notify_waiters();
    }

    fn pull(&mut self, subscription: &str, most: usize, now: i64, behaviour: PubSubBehaviour) -> Option<Vec<Value>> {
        let subscription = self.subscriptions.get_mut(subscription)?;
        let mut received = Vec::new();
        let order: Vec<usize> = if behaviour.reverse {
            (0..subscription.messages.len()).rev().collect()
        } else {
            (0..subscription.messages.len()).collect()
        };
        for place in order {
            if received.len() >= most {
                break;
            }
            let Some(message) = subscription.messages.get_mut(place).filter(|message| message.visible <= now) else {
                continue;
            };
            self.deliveries += 1;
            message.attempts += 1;
            message.delivery = Some(self.deliveries);
            message.visible = now + subscription.deadline * 1000;
            let mut content = json!({
                "messageId": message.id,
                "message_id": message.id,
                "publishTime": message.published,
                "attributes": message.attributes,
            });
            if let Some(data) = &message.data {
                content["data"] = data.as_str().into();
            }
            received.push(json!({ "ackId": format!("ack-{}", self.deliveries), "message": content }));
        }
        Some(received)
    }
}

fn name(call: &Call, kind: &str) -> String {
    format!("projects/{}/{kind}/{}", call.id(0), call.id(1))
}

/// The numbers of acknowledgement ids; anything else is refused.
fn deliveries(body: &Value) -> Result<Vec<u64>, Refusal> {
    let ids = body.get("ackIds").and_then(Value::as_array).filter(|ids| !ids.is_empty());
    let ids = ids.ok_or_else(|| Refusal::invalid("ackIds must be given."))?;
    let read = |id: &Value| id.as_str().and_then(|id| id.strip_prefix("ack-")).and_then(|id| id.parse().ok());
    ids.iter().map(|id| read(id).ok_or_else(|| Refusal::invalid("Some acknowledgement ids are invalid."))).collect()
}

fn only(body: &Value, known: &[&str]) -> Result<(), Refusal> {
    let unknown = body.as_object().into_iter().flatten().find(|(name, _)| !known.contains(&name.as_str()));
    match unknown {
        None => Ok(()),
        Some((name, _)) => {
            Err(Refusal::invalid(format!("Invalid JSON payload received. Unknown name \"{name}\": Cannot find field.")))
        }
    }
}

impl State {
    /// Sends an event of an enterprise, if it asked for that type.
    pub(crate) fn notify(&mut self, enterprise: &str, kind: &str, data: Option<&Value>, moment: Moment) {
        let Some(enterprise) = self.enterprises.get(enterprise) else { return };
        let Some(topic) = enterprise.resource.get("pubsubTopic").and_then(Value::as_str) else { return };
        let wanted = enterprise.resource.get("enabledNotificationTypes").and_then(Value::as_array);
        if kind != "TEST" && !wanted.into_iter().flatten().any(|wanted| wanted == kind) {
            return;
        }
        if self.pubsub.may_publish(topic, super::enterprises::PUBLISHER) != Some(true) {
            return;
        }
        let topic = topic.to_owned();
        self.pubsub.publish(&topic, kind, data, moment.now, self.behaviour);
    }

    /// Everything of Pub/Sub but pulling.
    pub(crate) fn pubsub(&mut self, call: &Call, body: &Value, project: &str, now: i64) -> Answer {
        if call.id(0) != project {
            return Err(Refusal::forbidden("User not authorized to perform this action."));
        }
        let (topic, subscription) = (name(call, "topics"), name(call, "subscriptions"));
        match call.name.as_str() {
            "topics.create" => {
                only(body, &["name", "labels", "messageRetentionDuration"])?;
                if self.pubsub.topics.contains_key(&topic) {
                    return Err(Refusal::exists("Topic already exists"));
                }
                self.pubsub.topics.insert(topic.clone(), Topic::default());
                Ok(json!({ "name": topic }))
            }
            "topics.get" => {
                self.pubsub.topics.get(&topic).map(|_| json!({ "name": topic })).ok_or_else(Refusal::not_found)
            }
            "topics.delete" => self.pubsub.topics.remove(&topic).map(|_| json!({})).ok_or_else(Refusal::not_found),
            "topics.getIamPolicy" => self.pubsub.topics.get(&topic).map(Topic::policy).ok_or_else(Refusal::not_found),
            "topics.setIamPolicy" => {
                let topic = self.pubsub.topics.get_mut(&topic).ok_or_else(Refusal::not_found)?;
                topic.set_policy(body)
            }
            "subscriptions.create" => self.create_subscription(&subscription, body),
            "subscriptions.get" => {
                let found = self.pubsub.subscriptions.get(&subscription).ok_or_else(Refusal::not_found)?;
                Ok(found.shown(&subscription))
            }
            "subscriptions.delete" => {
                self.pubsub.subscriptions.remove(&subscription).map(|_| json!({})).ok_or_else(Refusal::not_found)
            }
            "subscriptions.acknowledge" => {
                only(body, &["ackIds"])?;
                self.acknowledge(&subscription, &deliveries(body)?, now)
            }
            "subscriptions.modifyAckDeadline" => {
                only(body, &["ackIds", "ackDeadlineSeconds"])?;
                let seconds = body.get("ackDeadlineSeconds").and_then(Value::as_i64);
                let seconds = seconds.filter(|seconds| (0..=600).contains(seconds));
                let seconds = seconds.ok_or_else(|| Refusal::invalid("ackDeadlineSeconds must be from 0 to 600."))?;
                let wanted = deliveries(body)?;
                let found = self.pubsub.subscriptions.get_mut(&subscription).ok_or_else(Refusal::not_found)?;
                for message in &mut found.messages {
                    if message.delivery.is_some_and(|delivery| wanted.contains(&delivery)) && message.visible > now {
                        message.visible = now + seconds * 1000;
                    }
                }
                self.pubsub.bell.notify_waiters();
                Ok(json!({}))
            }
            _ => Err(Refusal::not_found()),
        }
    }

    fn create_subscription(&mut self, subscription: &str, body: &Value) -> Answer {
        only(
            body,
            &[
                "name",
                "topic",
                "ackDeadlineSeconds",
                "messageRetentionDuration",
                "expirationPolicy",
                "labels",
                "retryPolicy",
            ],
        )?;
        let topic = body.get("topic").and_then(Value::as_str).unwrap_or_default();
        if !self.pubsub.topics.contains_key(topic) {
            return Err(Refusal::not_found());
        }
        let deadline = body.get("ackDeadlineSeconds").and_then(Value::as_i64).unwrap_or(DEADLINE);
        if !(10..=600).contains(&deadline) {
            return Err(Refusal::invalid("ackDeadlineSeconds must be from 10 to 600."));
        }
        if self.pubsub.subscriptions.contains_key(subscription) {
            return Err(Refusal::exists("Subscription already exists"));
        }
        let made = Subscription { topic: topic.to_owned(), deadline, messages: Vec::new() };
        let shown = made.shown(subscription);
        self.pubsub.subscriptions.insert(subscription.to_owned(), made);
        Ok(shown)
    }

    /// One attempt to pull; an empty list when nothing waits.
    pub(crate) fn pull(&mut self, call: &Call, body: &Value, project: &str, now: i64) -> Result<Vec<Value>, Refusal> {
        only(body, &["maxMessages", "returnImmediately"])?;
        if call.id(0) != project {
            return Err(Refusal::forbidden("User not authorized to perform this action."));
        }
        let most = body.get("maxMessages").and_then(Value::as_i64).filter(|most| *most > 0);
        let most = most.ok_or_else(|| Refusal::invalid("maxMessages must be positive."))?;
        let most = usize::try_from(most).unwrap_or(1000).min(1000);
        let behaviour = self.behaviour;
        self.pubsub.pull(&name(call, "subscriptions"), most, now, behaviour).ok_or_else(Refusal::not_found)
    }

    /// An acknowledgement that comes after the deadline is answered well, and the message comes again.
    fn acknowledge(&mut self, subscription: &str, wanted: &[u64], now: i64) -> Answer {
        let every = self.behaviour.forget_acknowledgement_every;
        let pubsub = &mut self.pubsub;
        let found = pubsub.subscriptions.get_mut(subscription).ok_or_else(Refusal::not_found)?;
        pubsub.acknowledgements += 1;
        if every > 0 && pubsub.acknowledgements.is_multiple_of(every) {
            return Ok(json!({}));
        }
        let wanted: BTreeSet<u64> = wanted.iter().copied().collect();
        let before = found.messages.len();
        found.messages.retain(|message| {
            let meant = message.delivery.is_some_and(|delivery| wanted.contains(&delivery));
            !(meant && message.visible > now)
        });
        pubsub.acknowledged += (before - found.messages.len()) as u64;
        Ok(json!({}))
    }
}

impl Topic {
    fn policy(&self) -> Value {
        let mut policy = json!({ "version": 1, "etag": STANDARD.encode(self.etag.to_be_bytes()) });
        if !self.bindings.is_empty() {
            policy["bindings"] =
                self.bindings.iter().map(|(role, members)| json!({ "role": role, "members": members })).collect();
        }
        policy
    }

    fn set_policy(&mut self, body: &Value) -> Answer {
        only(body, &["policy", "updateMask"])?;
        let policy = body.get("policy").ok_or_else(|| Refusal::invalid("policy must be given."))?;
        only(policy, &["version", "etag", "bindings"])?;
        let etag = policy.get("etag").and_then(Value::as_str);
        if etag.is_some_and(|etag| etag != STANDARD.encode(self.etag.to_be_bytes())) {
            return Err(Refusal::invalid("There were concurrent policy changes.").with_code(409, "ABORTED"));
        }
        let mut bindings = Vec::new();
        for binding in policy.get("bindings").and_then(Value::as_array).into_iter().flatten() {
            let role = binding["role"].as_str().filter(|role| role.starts_with("roles/"));
            let role = role.ok_or_else(|| Refusal::invalid("A binding needs a role."))?;
            let members = binding["members"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let members: BTreeSet<String> = members.map(str::to_owned).collect();
            // IAM takes a service account only under its own prefix.
            if members.iter().any(|member| member.starts_with("user:") && member.ends_with("gserviceaccount.com")) {
                return Err(Refusal::invalid("A service account is not a user: write serviceAccount: before it."));
            }
            bindings.push((role.to_owned(), members));
        }
        self.bindings = bindings;
        self.etag += 1;
        Ok(self.policy())
    }
}

impl Subscription {
    fn shown(&self, name: &str) -> Value {
        json!({
            "name": name,
            "topic": self.topic,
            "pushConfig": {},
            "ackDeadlineSeconds": self.deadline,
            "messageRetentionDuration": "604800s",
            "state": "ACTIVE",
        })
    }
}
