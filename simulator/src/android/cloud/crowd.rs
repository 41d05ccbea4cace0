//! Thousands of devices that nobody plays, for loads: copies of one that a phone enrolled, listed and read like any other.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::Notify;

use super::state::{Device, PhoneLink};
use super::time::written;
use super::{GoogleCloud, devices};

impl GoogleCloud {
    /// Copies a device's record under so many new names, which are given back; none where there is no such device.
    pub fn copy_device(&self, device: &str, count: usize) -> Vec<String> {
        let parts: Vec<&str> = device.split('/').collect();
        let ["enterprises", enterprise, "devices", id] = parts.as_slice() else { return Vec::new() };
        self.with(|state, _| {
            let Some(devices) = state.enterprises.get_mut(*enterprise).map(|enterprise| &mut enterprise.devices) else {
                return Vec::new();
            };
            let Some(original) = devices.get(*id) else { return Vec::new() };
            let copies: Vec<(String, Device)> = (0..count)
                .map(|number| {
                    let copy = Device {
                        reported: original.reported.clone(),
                        fixed: original.fixed.clone(),
                        policy: original.policy.clone(),
                        state: original.state.clone(),
                        disabled_reason: None,
                        operations: Vec::new(),
                        // Nobody has this credential.
                        phone: PhoneLink { credential: 0, wake: Arc::new(Notify::new()) },
                    };
                    (format!("c{number:08}-{id}"), copy)
                })
                .collect();
            let names = copies.iter().map(|(id, _)| format!("enterprises/{enterprise}/devices/{id}")).collect();
            devices.extend(copies);
            names
        })
    }

    /// Lets every device of an enterprise apply its policy as it is now and have reported so; the first `telling` of them are told
    /// of by STATUS_REPORT.
    pub fn everyone_applies(&self, enterprise: &str, telling: usize) {
        let id = enterprise.strip_prefix("enterprises/").unwrap_or(enterprise).to_owned();
        self.with(|state, moment| {
            let Some(enterprise) = state.enterprises.get_mut(&id) else { return };
            let now = Value::from(written(moment.world));
            for device in enterprise.devices.values_mut() {
                let Some(policy) = enterprise.policies.get(&device.policy) else { continue };
                let name = format!("enterprises/{id}/policies/{}", device.policy);
                device.reported.insert("appliedPolicyName".into(), name.into());
                device.reported.insert("appliedPolicyVersion".into(), policy.version.to_string().into());
                for time in ["lastStatusReportTime", "lastPolicySyncTime"] {
                    device.reported.remove(time);
                    device.fixed.insert(time.into(), now.clone());
                }
            }
            let told: Vec<Value> = enterprise
                .devices
                .iter()
                .take(telling)
                .map(|(name, device)| devices::shown(&id, name, device))
                .collect();
            for event in told {
                state.notify(&id, "STATUS_REPORT", Some(&event), moment);
            }
        });
    }
}
