//! What a test may look at inside Google, and the few things it may put there past the API.

use serde_json::Value;

use super::{CallRecord, GoogleCloud, Judgement, PubSubCounts, devices, operations, policies};

impl GoogleCloud {
    /// Every call so far, oldest first.
    pub fn log(&self) -> Vec<CallRecord> {
        self.inner.state().log.clone()
    }

    /// The calls of one name, oldest first.
    pub fn calls(&self, call: &str) -> Vec<CallRecord> {
        self.inner.state().log.iter().filter(|record| record.call == call).cloned().collect()
    }

    /// Forgets the calls so far, for long loads.
    pub fn clear_log(&self) {
        self.inner.state().log.clear();
    }

    /// What the server did that no server should: bodies Google refuses, calls that do not exist, and, marked `GRAVE`, attempts to
    /// delete an enterprise.
    pub fn violations(&self) -> Vec<String> {
        self.inner.state().violations.clone()
    }

    /// The violations that end a test whatever else it is about.
    pub fn grave_violations(&self) -> Vec<String> {
        self.violations().into_iter().filter(|violation| violation.starts_with("GRAVE")).collect()
    }

    /// What the judge by Google's discovery document said of every request to the Android Management API so far.
    pub fn judgement(&self) -> Judgement {
        self.inner.state().judgement.clone()
    }

    /// Messages published, acknowledged and waiting.
    pub fn pubsub_counts(&self) -> PubSubCounts {
        self.inner.state().pubsub.counts()
    }

    /// The names of all enterprises.
    pub fn enterprises(&self) -> Vec<String> {
        self.inner.state().enterprises.keys().map(|id| format!("enterprises/{id}")).collect()
    }

    /// The enterprise, policy, device or operation of this name, as Google would show it to its owner.
    pub fn resource(&self, name: &str) -> Option<Value> {
        self.with(|state, moment| {
            let parts: Vec<&str> = name.split('/').collect();
            if let ["enterprises", enterprise, "devices", device, ..] = parts.as_slice() {
                state.settle(enterprise, device, moment);
            }
            let enterprise = parts.get(1).and_then(|id| state.enterprises.get_mut(*id))?;
            match parts.as_slice() {
                ["enterprises", _] => Some(enterprise.resource.clone()),
                ["enterprises", parent, "policies", id] => {
                    enterprise.policies.get(*id).map(|policy| policies::shown(parent, id, policy))
                }
                ["enterprises", parent, "devices", id] => {
                    enterprise.devices.get(*id).map(|device| devices::shown(parent, id, device))
                }
                ["enterprises", parent, "devices", id, "operations", operation] => {
                    let known = enterprise.operations(id)?.iter().find(|known| known.id == *operation)?;
                    Some(operations::shown(&format!("enterprises/{parent}/devices/{id}"), known))
                }
                _ => None,
            }
        })
    }

    /// Every device of an enterprise, as Google shows it.
    pub fn devices(&self, enterprise: &str) -> Vec<Value> {
        let state = self.inner.state();
        let id = enterprise.strip_prefix("enterprises/").unwrap_or(enterprise);
        let devices = state.enterprises.get(id).map(|enterprise| &enterprise.devices);
        devices.into_iter().flatten().map(|(device, record)| devices::shown(id, device, record)).collect()
    }

    /// Every operation of a device, oldest first, also after the device is gone.
    pub fn operations(&self, device: &str) -> Vec<Value> {
        self.with(|state, moment| {
            let parts: Vec<&str> = device.split('/').collect();
            let ["enterprises", parent, "devices", id] = parts.as_slice() else { return Vec::new() };
            state.settle(parent, id, moment);
            let known = state.enterprises.get_mut(*parent).and_then(|enterprise| enterprise.operations(id));
            known.into_iter().flatten().map(|operation| operations::shown(device, operation)).collect()
        })
    }

    /// Publishes an event for an enterprise past every device: `kind` is the `notificationType`; without data as Google's tests.
    pub fn publish(&self, enterprise: &str, kind: &str, data: Option<&Value>) {
        let id = enterprise.strip_prefix("enterprises/").unwrap_or(enterprise).to_owned();
        self.with(|state, moment| state.notify(&id, kind, data, moment));
    }

    /// Publishes a report that a device is DELETED, whatever it is, as one that comes late.
    pub fn publish_deleted(&self, device: &str) {
        let parts: Vec<&str> = device.split('/').collect();
        if let ["enterprises", enterprise, "devices", id] = parts.as_slice() {
            self.with(|state, moment| state.tell_deleted(enterprise, id, moment));
        }
    }

    /// Takes a device's record away without telling anyone, as Google does with a phone it has lost.
    pub fn forget_device(&self, device: &str) {
        let parts: Vec<&str> = device.split('/').collect();
        if let ["enterprises", enterprise, "devices", id] = parts.as_slice() {
            self.with(|state, _| {
                if let Some(enterprise) = state.enterprises.get_mut(*enterprise) {
                    enterprise.devices.remove(*id);
                }
            });
        }
    }

    /// The time of devices and commands, milliseconds since 1970.
    pub fn world_time(&self) -> i64 {
        self.inner.moment().world
    }
}
