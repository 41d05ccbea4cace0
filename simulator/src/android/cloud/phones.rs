//! The other side of the cloud: what Google and a phone say to each other, which no server sees.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use tokio::sync::Notify;

use super::devices;
use super::operations;
use super::state::{Device, Moment, PhoneLink, Stage, State};
use super::time::written;

/// A deletion that the phone has not heard of is dropped after thirty days.
const DELETION_HOLDS: i64 = 30 * 24 * 3600 * 1000;

/// How a phone comes to its token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// The link, on a phone that belongs to its holder.
    Link,
    /// The QR code, on a phone in factory state.
    Qr,
}

/// A phone that asks to be enrolled.
pub(crate) struct Asking<'a> {
    pub(crate) token: &'a str,
    pub(crate) way: Way,
    /// What identifies the same physical phone in an enterprise, given the enterprise's id.
    pub(crate) serial: &'a dyn Fn(&str) -> String,
    pub(crate) wake: Arc<Notify>,
}

/// What an enrolled phone knows of itself.
#[derive(Debug, Clone)]
pub(crate) struct Enrolled {
    pub(crate) enterprise: String,
    pub(crate) device: String,
    pub(crate) credential: u64,
    pub(crate) company_owned: bool,
    pub(crate) device_owner: bool,
}

/// What a phone finds when it comes.
pub(crate) enum Visit {
    /// Google does not know it: the record was deleted longer ago than Google remembers.
    Unknown,
    /// The record was deleted: the phone must wipe itself.
    Deleted { flags: Vec<String>, reason: Option<String> },
    /// What applies to it, and the commands it did not have yet.
    Managed(Box<Orders>),
}

pub(crate) struct Orders {
    pub(crate) state: String,
    pub(crate) policy_id: String,
    pub(crate) policy_version: i64,
    pub(crate) policy: Arc<Value>,
    pub(crate) commands: Vec<(String, Map<String, Value>)>,
}

/// How a command ended on the phone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ended {
    /// A command-specific status: the field of the command, and its value.
    pub(crate) status: Option<(&'static str, Value)>,
    /// `errorCode`.
    pub(crate) error_code: Option<String>,
    pub(crate) failed: bool,
}

impl State {
    pub(crate) fn enrol(&mut self, asking: &Asking<'_>, moment: Moment) -> Result<Enrolled, &'static str> {
        let limit = self.settings.device_limit;
        let devices: usize = self.enterprises.values().map(|enterprise| enterprise.devices.len()).sum();
        let found = self.enterprises.iter_mut().find_map(|(id, enterprise)| {
            let known = enterprise.tokens.iter().find(|(_, token)| token.value == asking.token)?.0.clone();
            Some((id.clone(), enterprise, known))
        });
        let (enterprise_id, enterprise, token_id) = found.ok_or("there is no such enrolment token")?;
        let token = enterprise.tokens.get_mut(&token_id).ok_or("there is no such enrolment token")?;
        if token.expires <= moment.world {
            return Err("the enrolment token has expired");
        }
        if token.one_time && token.used > 0 {
            return Err("the enrolment token was used before");
        }
        let allowed = token.allow_personal_usage.as_str();
        if asking.way == Way::Link && allowed.starts_with("PERSONAL_USAGE_DISALLOWED") {
            return Err("this token does not allow personal usage, so that a personal phone cannot use it");
        }
        if limit.is_some_and(|limit| devices >= limit) {
            return Err("the project's quota of devices is used up");
        }
        token.used += 1;
        let company_owned = asking.way == Way::Qr;
        let device_owner = company_owned && allowed != "PERSONAL_USAGE_ALLOWED";
        let secret = super::random_hex(8).map_err(|_| "no randomness")?;
        let credential = u64::from_str_radix(&secret, 16).map_err(|_| "no randomness")?;
        let device = format!("3{}", secret.get(1..).unwrap_or_default());
        let name = format!("enterprises/{enterprise_id}/devices/{device}");
        let user = format!("enterprises/{enterprise_id}/users/{}", u32::try_from(credential >> 33).unwrap_or(1));
        let previous = enterprise.known.entry((asking.serial)(&enterprise_id)).or_default();
        let mut fixed = Map::new();
        let mut fix = |field: &str, value: Value| fixed.insert(field.to_owned(), value);
        fix("managementMode", if device_owner { "DEVICE_OWNER" } else { "PROFILE_OWNER" }.into());
        fix("ownership", if company_owned { "COMPANY_OWNED" } else { "PERSONALLY_OWNED" }.into());
        fix("enrollmentTime", written(moment.world).into());
        fix("enrollmentTokenName", format!("enterprises/{enterprise_id}/enrollmentTokens/{token_id}").into());
        fix("userName", user.into());
        fix("user", json!({ "accountIdentifier": secret }));
        if let Some(data) = &token.additional_data {
            fix("enrollmentTokenData", data.as_str().into());
        }
        if !previous.is_empty() {
            fix("previousDeviceNames", previous.clone().into());
        }
        previous.push(name);
        let mut reported = Map::new();
        reported.insert("appliedState".into(), "PROVISIONING".into());
        let policy = token.policy.clone();
        let phone = PhoneLink { credential, wake: Arc::clone(&asking.wake) };
        let record = Device {
            reported,
            fixed,
            policy,
            state: "ACTIVE".into(),
            disabled_reason: None,
            operations: Vec::new(),
            phone,
        };
        let event = devices::shown(&enterprise_id, &device, &record);
        enterprise.devices.insert(device.clone(), record);
        self.notify(&enterprise_id, "ENROLLMENT", Some(&event), moment);
        Ok(Enrolled { enterprise: enterprise_id, device, credential, company_owned, device_owner })
    }

    /// The phone comes: it hears what applies, and gets the commands that still hold.
    pub(crate) fn visit(&mut self, phone: &Enrolled, moment: Moment) -> Visit {
        self.settle(&phone.enterprise, &phone.device, moment);
        let Some(enterprise) = self.enterprises.get_mut(&phone.enterprise) else { return Visit::Unknown };
        if let Some(deleted) = enterprise.deleted.get(&phone.device) {
            if deleted.phone.credential != phone.credential || moment.world - deleted.at > DELETION_HOLDS {
                return Visit::Unknown;
            }
            return Visit::Deleted { flags: deleted.flags.clone(), reason: deleted.reason.clone() };
        }
        let Some(device) = enterprise.devices.get_mut(&phone.device) else { return Visit::Unknown };
        if device.phone.credential != phone.credential {
            return Visit::Unknown;
        }
        device.fixed.insert("lastPolicySyncTime".into(), written(moment.world).into());
        let mut commands = Vec::new();
        for operation in device.operations.iter_mut().filter(|operation| operation.stage == Stage::Waiting) {
            operation.stage = Stage::Delivered;
            commands.push((operation.id.clone(), operation.command.clone()));
        }
        let policy = enterprise.policies.get(&device.policy);
        Visit::Managed(Box::new(Orders {
            state: device.state.clone(),
            policy_id: device.policy.clone(),
            policy_version: policy.map_or(0, |policy| policy.version),
            policy: policy.map_or_else(|| Arc::new(json!({})), |policy| Arc::clone(&policy.body)),
            commands,
        }))
    }

    /// The phone reports: what it says is shown from now on, and told to the server.
    pub(crate) fn report(&mut self, phone: &Enrolled, report: Map<String, Value>, moment: Moment) {
        let Some(enterprise) = self.enterprises.get_mut(&phone.enterprise) else { return };
        let Some(device) = enterprise.devices.get_mut(&phone.device) else { return };
        device.reported = report;
        device.fixed.insert("lastStatusReportTime".into(), written(moment.world).into());
        let event = devices::shown(&phone.enterprise, &phone.device, device);
        self.notify(&phone.enterprise, "STATUS_REPORT", Some(&event), moment);
    }

    /// The phone is done with a command.
    pub(crate) fn end_command(&mut self, phone: &Enrolled, operation: &str, ended: Ended, moment: Moment) {
        let name = format!("enterprises/{}/devices/{}", phone.enterprise, phone.device);
        let Some(enterprise) = self.enterprises.get_mut(&phone.enterprise) else { return };
        let found = enterprise.operations(&phone.device).into_iter().flatten().find(|known| known.id == operation);
        let Some(known) = found.filter(|known| known.stage == Stage::Delivered) else { return };
        if let Some((field, value)) = ended.status {
            known.command.insert(field.to_owned(), value);
        }
        if let Some(code) = ended.error_code {
            known.command.insert("errorCode".into(), code.into());
        }
        // google.rpc.Code FAILED_PRECONDITION; the reason stands in the command.
        known.stage = Stage::Done(ended.failed.then(|| (9, "The device could not execute the command.".to_owned())));
        let event = operations::shown(&name, known);
        self.notify(&phone.enterprise, "COMMAND", Some(&event), moment);
    }

    /// The phone obeyed an order that ends its management: the record goes, and the last report says so.
    pub(crate) fn leave(&mut self, phone: &Enrolled, moment: Moment) {
        let keep = !self.settings.operations_vanish;
        let Some(enterprise) = self.enterprises.get_mut(&phone.enterprise) else { return };
        if let Some(device) = enterprise.devices.remove(&phone.device)
            && keep
        {
            enterprise.past.insert(phone.device.clone(), device.operations);
        }
        enterprise.deleted.remove(&phone.device);
        self.tell_deleted(&phone.enterprise, &phone.device, moment);
    }

    pub(crate) fn tell_deleted(&mut self, enterprise: &str, device: &str, moment: Moment) {
        let name = format!("enterprises/{enterprise}/devices/{device}");
        let event = json!({ "name": name, "state": "DELETED", "appliedState": "DELETED" });
        self.notify(enterprise, "STATUS_REPORT", Some(&event), moment);
    }
}
