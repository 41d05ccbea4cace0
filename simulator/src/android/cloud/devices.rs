//! Devices as Google shows them, and what a server may change about them.

use serde_json::{Map, Value};

use super::refusal::{Answer, Refusal};
use super::route::Call;
use super::state::{Deleted, Device, Moment, State, id_of, listed, page};
use crate::android::schema::{Mask, WIPE_REASON};

/// The fields of a device that a patch may change.
const WRITABLE: [&str; 3] = ["state", "disabledReason", "policyName"];

/// The device as Google shows it.
pub(crate) fn shown(enterprise: &str, id: &str, device: &Device) -> Value {
    let mut resource: Map<String, Value> = device.reported.clone();
    resource.extend(device.fixed.clone());
    resource.insert("name".into(), format!("enterprises/{enterprise}/devices/{id}").into());
    resource.insert("state".into(), device.state.clone().into());
    resource.insert("policyName".into(), format!("enterprises/{enterprise}/policies/{}", device.policy).into());
    if let Some(reason) = &device.disabled_reason {
        resource.insert("disabledReason".into(), reason.clone());
    }
    Value::Object(resource)
}

impl State {
    pub(crate) fn get_device(&mut self, call: &Call, project: &str) -> Answer {
        let enterprise = self.enterprise(call.id(0), project)?;
        let device = enterprise.devices.get(call.id(1)).ok_or_else(Refusal::not_found)?;
        Ok(shown(call.id(0), call.id(1), device))
    }

    pub(crate) fn list_devices(&mut self, call: &Call, query: &[(String, String)], project: &str) -> Answer {
        let enterprise = self.enterprise(call.id(0), project)?;
        let (entries, next) = page(&enterprise.devices, query, 10)?;
        let items = entries.into_iter().map(|(id, device)| shown(call.id(0), id, device)).collect();
        Ok(listed("devices", items, next))
    }

    pub(crate) fn patch_device(
        &mut self,
        call: &Call,
        query: &[(String, String)],
        body: &Value,
        project: &str,
    ) -> Answer {
        let (enterprise_id, id) = (call.id(0), call.id(1));
        let enterprise = self.enterprise(enterprise_id, project)?;
        let device = enterprise.devices.get_mut(id).ok_or_else(Refusal::not_found)?;
        let mask = match query.iter().find(|(known, _)| known == "updateMask") {
            None => None,
            Some((_, text)) => {
                for path in text.split(',') {
                    let top = path.split('.').next().unwrap_or_default();
                    let writable = |mask: Mask| WRITABLE.iter().any(|name| mask.names(name));
                    if !Mask::read("Device", top).is_ok_and(writable) {
                        return Err(Refusal::invalid(format!("updateMask: '{path}' cannot be changed.")));
                    }
                }
                Some(text.as_str())
            }
        };
        let mask = mask.and_then(|text| Mask::read("Device", text).ok());
        let meant = |name: &str| mask.as_ref().is_none_or(|mask| mask.names(name));
        let text = |name: &str| body.get(name).and_then(Value::as_str).filter(|_| meant(name));
        if let Some(state) = text("state") {
            if !matches!(state, "ACTIVE" | "DISABLED") {
                return Err(Refusal::invalid("state: ACTIVE and DISABLED are the only allowable values."));
            }
        } else if mask.as_ref().is_some_and(|mask| mask.names("state")) {
            return Err(Refusal::invalid("state: must not be cleared."));
        }
        let policy = match text("policyName") {
            None => None,
            Some(name) => Some(
                id_of(name, &format!("enterprises/{enterprise_id}/policies"))
                    .filter(|id| enterprise.policies.contains_key(*id))
                    .ok_or_else(|| Refusal::invalid("policyName names no policy of this enterprise."))?,
            ),
        };
        if let Some(policy) = policy {
            policy.clone_into(&mut device.policy);
        }
        if let Some(state) = text("state") {
            state.clone_into(&mut device.state);
        }
        if meant("disabledReason") {
            device.disabled_reason = body.get("disabledReason").cloned();
        }
        device.phone.wake.notify_one();
        Ok(shown(enterprise_id, id, device))
    }

    /// The record goes at once; the phone is told to wipe itself when it next comes, if that is soon enough.
    pub(crate) fn delete_device(
        &mut self,
        call: &Call,
        query: &[(String, String)],
        project: &str,
        moment: Moment,
    ) -> Answer {
        let operations_vanish = self.settings.operations_vanish;
        let enterprise = self.enterprise(call.id(0), project)?;
        let reason = query.iter().find(|(name, _)| name == "wipeReasonMessage").map(|(_, value)| value.clone());
        if reason.as_ref().is_some_and(|reason| reason.chars().count() > WIPE_REASON) {
            return Err(Refusal::invalid("wipeReasonMessage: the maximum message length is 200 characters."));
        }
        let device = enterprise.devices.remove(call.id(1)).ok_or_else(Refusal::not_found)?;
        if !operations_vanish {
            enterprise.past.insert(call.id(1).to_owned(), device.operations);
        }
        device.phone.wake.notify_one();
        let flags = query.iter().filter(|(name, _)| name == "wipeDataFlags").map(|(_, flag)| flag.clone()).collect();
        let deleted = Deleted { at: moment.world, phone: device.phone, flags, reason };
        enterprise.deleted.insert(call.id(1).to_owned(), deleted);
        Ok(Value::Object(Map::new()))
    }
}
