//! Notifications by Pub/Sub pull: nothing inbound is exposed, and what happened is fetched when Beadle is ready for it.
//!
//! Source: Google Cloud, Pub/Sub REST reference v1 (`projects.topics`, `projects.subscriptions`), and Android Management
//! API, "Receive notifications", which names the publisher.

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::client::{Call, GoogleClient, json as body};
use super::failure::Failure;
use super::message::Notification;
use super::name::{self, Kind};
use super::retry::Repeat;
use super::token::Access;

/// Who publishes to the topic.
const PUBLISHER: &str = "serviceAccount:android-cloud-policy@system.gserviceaccount.com";
/// The right that it needs.
const PUBLISHER_ROLE: &str = "roles/pubsub.publisher";
/// How often the topic's rights are read and written before it is given up.
const ATTEMPTS: u32 = 4;
/// How long a fetched notification is kept from other readers, in seconds.
const ACKNOWLEDGE_WITHIN: u32 = 60;
/// How long notifications are kept for a server that is down: the longest that Google offers, seven days.
const KEPT: &str = "604800s";
/// The most messages that one call acknowledges; Google bounds the request at 512 KiB.
const ACKNOWLEDGE_AT_ONCE: usize = 1000;

/// A notification, and what acknowledges it.
#[derive(Clone, Debug, PartialEq)]
pub struct Received {
    /// For [`GoogleClient::acknowledge`]; good for this delivery only.
    pub ack_id: String,
    /// What it says.
    pub notification: Notification,
}

impl GoogleClient {
    fn pubsub_call(
        &self,
        method: Method,
        kind: Kind,
        name: &str,
        on: Option<&'static str>,
        content: Option<&Value>,
    ) -> Result<Call, Failure> {
        let url = name::address(self.pubsub(), &name::parts(kind, name)?, on)?;
        let body = content.map(body).transpose()?;
        let timeout = self.patience().call;
        Ok(Call { method, url, body, access: Access::PubSub, repeat: Repeat::Safe, timeout })
    }

    /// Makes the topic, the right to publish to it, and the subscription, as far as they are not there yet.
    ///
    /// # Errors
    /// [`Failure::Refused`] as `ALREADY_EXISTS` where the subscription is there but is another topic's.
    pub async fn ensure_notifications(&self, topic: &str, subscription: &str) -> Result<(), Failure> {
        made(self.send(self.pubsub_call(Method::PUT, Kind::Topic, topic, None, Some(&json!({})))?).await)?;
        self.ensure_publisher(topic).await?;
        self.ensure_subscription(topic, subscription).await
    }

    /// Adds Google's publisher to the topic's rights and leaves every other right as it is.
    async fn ensure_publisher(&self, topic: &str) -> Result<(), Failure> {
        let mut last = Failure::again("the topic's rights were not written");
        for _ in 0..ATTEMPTS {
            let mut read = self.pubsub_call(Method::GET, Kind::Topic, topic, Some("getIamPolicy"), None)?;
            // Version 3 keeps conditions, which writing back an older form would drop.
            read.url.query_pairs_mut().append_pair("options.requestedPolicyVersion", "3");
            let mut policy: Map<String, Value> = self.ask(read).await?;
            if !grant(&mut policy) {
                return Ok(());
            }
            let content = json!({ "policy": policy });
            let mut write = self.pubsub_call(Method::POST, Kind::Topic, topic, Some("setIamPolicy"), Some(&content))?;
            // Somebody else's change, or an answer that was lost: only reading again helps.
            write.repeat = Repeat::Never;
            match self.send(write).await {
                Ok(_) => return Ok(()),
                Err(failure @ (Failure::Again { .. } | Failure::Unclear { .. })) => last = failure,
                Err(failure) => return Err(failure),
            }
            tokio::time::sleep(self.patience().first_wait).await;
        }
        Err(match last {
            Failure::Unclear { problem } => Failure::again(problem),
            other => other,
        })
    }

    async fn ensure_subscription(&self, topic: &str, subscription: &str) -> Result<(), Failure> {
        name::parts(Kind::Topic, topic)?;
        let content = json!({
            "topic": topic,
            "ackDeadlineSeconds": ACKNOWLEDGE_WITHIN,
            "messageRetentionDuration": KEPT,
            // Without this Google removes it after 31 days in which the server was down.
            "expirationPolicy": {},
        });
        let make = self.pubsub_call(Method::PUT, Kind::Subscription, subscription, None, Some(&content))?;
        match self.send(make).await {
            Ok(_) => return Ok(()),
            Err(failure) if failure.is_refused_as("ALREADY_EXISTS") => {}
            Err(failure) => return Err(failure),
        }
        let there: SubscriptionAnswer =
            self.ask(self.pubsub_call(Method::GET, Kind::Subscription, subscription, None, None)?).await?;
        if there.topic == topic {
            return Ok(());
        }
        let message = format!("the subscription {subscription} is there already and belongs to another topic");
        Err(Failure::Refused { status: 409, reason: "ALREADY_EXISTS".to_owned(), message })
    }

    /// Fetches at most `most` notifications; Google may hold the call until there are some, and may give none.
    ///
    /// Not repeated here: who fetches does so for ever.
    pub async fn pull(&self, subscription: &str, most: u32) -> Result<Vec<Received>, Failure> {
        let content = json!({ "maxMessages": most.max(1) });
        let mut call =
            self.pubsub_call(Method::POST, Kind::Subscription, subscription, Some("pull"), Some(&content))?;
        call.timeout = self.patience().pull;
        call.repeat = Repeat::Never;
        let answer: PullAnswer = match self.ask(call).await {
            Err(Failure::Unclear { problem }) => return Err(Failure::again(problem)),
            other => other?,
        };
        let received = answer.received_messages.into_iter().filter_map(|received| {
            let ack_id = received.ack_id?;
            Some(Received { ack_id, notification: Notification::read(&received.message) })
        });
        Ok(received.collect())
    }

    /// Tells Pub/Sub that these need not be delivered again.
    pub async fn acknowledge(&self, subscription: &str, ack_ids: &[String]) -> Result<(), Failure> {
        for some in ack_ids.chunks(ACKNOWLEDGE_AT_ONCE) {
            let content = json!({ "ackIds": some });
            let call =
                self.pubsub_call(Method::POST, Kind::Subscription, subscription, Some("acknowledge"), Some(&content))?;
            self.send(call).await?;
        }
        Ok(())
    }
}

fn made(answer: Result<Vec<u8>, Failure>) -> Result<(), Failure> {
    match answer {
        Ok(_) => Ok(()),
        Err(failure) if failure.is_refused_as("ALREADY_EXISTS") => Ok(()),
        Err(failure) => Err(failure),
    }
}

/// Adds the publisher to the policy, unconditionally; false where it was there.
fn grant(policy: &mut Map<String, Value>) -> bool {
    let bindings = policy.entry("bindings").or_insert_with(|| json!([]));
    if !bindings.is_array() {
        *bindings = json!([]);
    }
    let Some(bindings) = bindings.as_array_mut() else { return false };
    let is_ours = |binding: &&mut Value| {
        binding.get("role").and_then(Value::as_str) == Some(PUBLISHER_ROLE) && binding.get("condition").is_none()
    };
    if let Some(members) = bindings.iter_mut().find(is_ours).and_then(|binding| {
        binding.as_object_mut().map(|binding| binding.entry("members").or_insert_with(|| json!([])))
    }) && let Some(members) = members.as_array_mut()
    {
        if members.iter().any(|member| member.as_str() == Some(PUBLISHER)) {
            return false;
        }
        members.push(PUBLISHER.into());
        return true;
    }
    bindings.push(json!({ "role": PUBLISHER_ROLE, "members": [PUBLISHER] }));
    true
}

#[derive(Deserialize)]
struct SubscriptionAnswer {
    topic: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PullAnswer {
    #[serde(default)]
    received_messages: Vec<ReceivedAnswer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReceivedAnswer {
    ack_id: Option<String>,
    #[serde(default)]
    message: Value,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(policy: Value) -> (bool, Value) {
        let Value::Object(mut policy) = policy else { panic!("an object") };
        let changed = grant(&mut policy);
        (changed, Value::Object(policy))
    }

    #[test]
    fn the_publisher_is_added_and_nothing_else_is_touched() {
        let (changed, policy) = granted(json!({ "etag": "BwX", "version": 1 }));
        assert!(changed);
        insta::assert_json_snapshot!(policy);
        let (changed, again) = granted(policy.clone());
        assert!(!changed && again == policy, "once is enough");
        let (changed, policy) = granted(json!({
            "etag": "BwX",
            "version": 3,
            "bindings": [
                { "role": "roles/owner", "members": ["user:a@example.org"] },
                { "role": PUBLISHER_ROLE, "members": ["user:b@example.org"], "condition": { "expression": "false" } },
                { "role": PUBLISHER_ROLE, "members": ["user:c@example.org"] },
            ],
        }));
        assert!(changed);
        insta::assert_json_snapshot!(policy);
    }
}
