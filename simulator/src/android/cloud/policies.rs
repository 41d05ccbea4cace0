//! Policies: replaced or patched whole, numbered by Google.

use std::sync::Arc;

use serde_json::Value;

use super::refusal::{Answer, Refusal};
use super::route::Call;
use super::state::{Policy, State, listed, page};
use crate::android::schema::{Mask, apply_mask, policy_rules, without_defaults};

/// The policy as Google gives it back.
pub(crate) fn shown(enterprise: &str, id: &str, policy: &Policy) -> Value {
    let mut resource = Value::clone(&policy.body);
    resource["name"] = format!("enterprises/{enterprise}/policies/{id}").into();
    resource["version"] = policy.version.to_string().into();
    resource
}

impl State {
    pub(crate) fn patch_policy(
        &mut self,
        call: &Call,
        query: &[(String, String)],
        body: &Value,
        project: &str,
    ) -> Answer {
        let (enterprise_id, id) = (call.id(0), call.id(1));
        let enterprise = self.enterprise(enterprise_id, project)?;
        let name = format!("enterprises/{enterprise_id}/policies/{id}");
        if body.get("name").is_some_and(|other| other != name.as_str()) {
            return Err(Refusal::invalid("The name in the body is another than the one in the address."));
        }
        let mask = match query.iter().find(|(known, _)| known == "updateMask") {
            None => None,
            Some((_, text)) => Some(
                Mask::read("Policy", text)
                    .map_err(|found| Refusal::unless_fine(found).err().unwrap_or_else(Refusal::not_found))?,
            ),
        };
        let stored = enterprise.policies.get(id).cloned();
        let before = stored.as_ref().map_or(Value::Object(serde_json::Map::new()), |policy| Value::clone(&policy.body));
        let mut merged = apply_mask(&before, body, mask.as_ref());
        Refusal::unless_fine(policy_rules(&merged))?;
        if let Some(object) = merged.as_object_mut() {
            object.remove("name");
        }
        let merged = without_defaults("Policy", &merged);
        let version = match &stored {
            Some(policy) if *policy.body == merged => return Ok(shown(enterprise_id, id, policy)),
            Some(policy) => policy.version + 1,
            None => 1,
        };
        let policy = Policy { body: Arc::new(merged), version };
        enterprise.policies.insert(id.to_owned(), policy.clone());
        for device in enterprise.devices.values().filter(|device| device.policy == id) {
            device.phone.wake.notify_one();
        }
        Ok(shown(enterprise_id, id, &policy))
    }

    pub(crate) fn get_policy(&mut self, call: &Call, project: &str) -> Answer {
        let enterprise = self.enterprise(call.id(0), project)?;
        let policy = enterprise.policies.get(call.id(1)).ok_or_else(Refusal::not_found)?;
        Ok(shown(call.id(0), call.id(1), policy))
    }

    pub(crate) fn list_policies(&mut self, call: &Call, query: &[(String, String)], project: &str) -> Answer {
        let enterprise = self.enterprise(call.id(0), project)?;
        let (entries, next) = page(&enterprise.policies, query, 10)?;
        let items = entries.into_iter().map(|(id, policy)| shown(call.id(0), id, policy)).collect();
        Ok(listed("policies", items, next))
    }

    pub(crate) fn delete_policy(&mut self, call: &Call, project: &str) -> Answer {
        let enterprise = self.enterprise(call.id(0), project)?;
        if !enterprise.policies.contains_key(call.id(1)) {
            return Err(Refusal::not_found());
        }
        if enterprise.devices.values().any(|device| device.policy == call.id(1)) {
            return Err(Refusal::precondition("The policy is used by a device."));
        }
        enterprise.policies.remove(call.id(1));
        Ok(Value::Object(serde_json::Map::new()))
    }
}
