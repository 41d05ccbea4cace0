//! Commands as Google keeps them: operations that wait for the phone, expire, can be cancelled, and end with a truth or a lie.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::refusal::{Answer, Refusal};
use super::route::Call;
use super::state::{Enterprise, Moment, Operation, Stage, State, listed, page};
use super::time::written;
use crate::android::schema::{command_rules, duration_seconds, without_defaults};

/// Ten minutes.
const USUAL: i64 = 600;
const CANCELLED: i32 = 1;
const DEADLINE_EXCEEDED: i32 = 4;

/// The operation as Google shows it.
pub(crate) fn shown(device: &str, operation: &Operation) -> Value {
    let mut metadata = operation.command.clone();
    metadata.insert("@type".into(), "type.googleapis.com/google.android.devicemanagement.v1.Command".into());
    let mut resource =
        json!({ "name": format!("{device}/operations/{}", operation.id), "metadata": Value::Object(metadata) });
    if let Stage::Done(error) = &operation.stage {
        resource["done"] = true.into();
        match error {
            Some((code, message)) => resource["error"] = json!({ "code": code, "message": message }),
            None => {
                resource["response"] =
                    json!({ "@type": "type.googleapis.com/google.android.devicemanagement.v1.IssueCommandResponse" });
            }
        }
    }
    resource
}

impl Operation {
    /// Ends the operation when its time is over and the phone never got it; whether that happened now.
    pub(crate) fn expire(&mut self, world: i64) -> bool {
        let over = self.stage == Stage::Waiting && self.expires <= world;
        if over {
            self.stage = Stage::Done(Some((DEADLINE_EXCEEDED, "The command expired.".to_owned())));
        }
        over
    }
}

impl Enterprise {
    pub(crate) fn operations(&mut self, device: &str) -> Option<&mut Vec<Operation>> {
        match self.devices.get_mut(device) {
            Some(device) => Some(&mut device.operations),
            None => self.past.get_mut(device),
        }
    }
}

impl State {
    pub(crate) fn issue_command(&mut self, call: &Call, body: &Value, project: &str, moment: Moment) -> Answer {
        let (enterprise_id, id) = (call.id(0), call.id(1));
        let enterprise = self.enterprise(enterprise_id, project)?;
        let device = enterprise.devices.get_mut(id).ok_or_else(Refusal::not_found)?;
        Refusal::unless_fine(command_rules(body))?;
        let seconds = body.get("duration").and_then(Value::as_str).and_then(duration_seconds).unwrap_or(USUAL);
        let mut command = match without_defaults("Command", body) {
            Value::Object(command) => command,
            _ => Map::new(),
        };
        command.insert("createTime".into(), written(moment.world).into());
        command.insert("duration".into(), format!("{seconds}s").into());
        if let Some(user) = device.fixed.get("userName") {
            command.insert("userName".into(), user.clone());
        }
        // Google numbers operations by time; two in one millisecond must differ.
        let last = device.operations.last().and_then(|last| last.id.parse::<i64>().ok()).unwrap_or(0);
        let operation = Operation {
            id: moment.world.max(last + 1).to_string(),
            command,
            expires: moment.world.saturating_add(seconds.saturating_mul(1000)),
            stage: Stage::Waiting,
        };
        let answer = shown(&format!("enterprises/{enterprise_id}/devices/{id}"), &operation);
        device.operations.push(operation);
        device.phone.wake.notify_one();
        Ok(answer)
    }

    pub(crate) fn get_operation(&mut self, call: &Call, project: &str, moment: Moment) -> Answer {
        self.settle(call.id(0), call.id(1), moment);
        let enterprise = self.enterprise(call.id(0), project)?;
        let operations = enterprise.operations(call.id(1)).ok_or_else(Refusal::not_found)?;
        let operation =
            operations.iter().find(|operation| operation.id == call.id(2)).ok_or_else(Refusal::not_found)?;
        Ok(shown(&format!("enterprises/{}/devices/{}", call.id(0), call.id(1)), operation))
    }

    pub(crate) fn list_operations(
        &mut self,
        call: &Call,
        query: &[(String, String)],
        project: &str,
        moment: Moment,
    ) -> Answer {
        if query.iter().any(|(name, value)| name == "returnPartialSuccess" && value == "true") {
            return Err(Refusal::unimplemented("returnPartialSuccess is not supported."));
        }
        self.settle(call.id(0), call.id(1), moment);
        let enterprise = self.enterprise(call.id(0), project)?;
        let name = format!("enterprises/{}/devices/{}", call.id(0), call.id(1));
        let operations = enterprise.operations(call.id(1)).ok_or_else(Refusal::not_found)?;
        let sorted: BTreeMap<String, Value> =
            operations.iter().map(|operation| (operation.id.clone(), shown(&name, operation))).collect();
        let (entries, next) = page(&sorted, query, 10)?;
        Ok(listed("operations", entries.into_iter().map(|(_, operation)| operation.clone()).collect(), next))
    }

    /// Works until the phone has it; afterwards the call succeeds and changes nothing, as a best effort does.
    pub(crate) fn cancel_operation(&mut self, call: &Call, body: &[u8], project: &str, moment: Moment) -> Answer {
        if !matches!(String::from_utf8_lossy(body).trim(), "" | "{}") {
            return Err(Refusal::invalid("The body must be empty."));
        }
        self.settle(call.id(0), call.id(1), moment);
        let notify = self.settings.notify_unfinished;
        let enterprise = self.enterprise(call.id(0), project)?;
        let operations = enterprise.operations(call.id(1)).ok_or_else(Refusal::not_found)?;
        let operation =
            operations.iter_mut().find(|operation| operation.id == call.id(2)).ok_or_else(Refusal::not_found)?;
        if operation.stage == Stage::Waiting {
            operation.stage = Stage::Done(Some((CANCELLED, "The operation was cancelled.".to_owned())));
            let name = format!("enterprises/{}/devices/{}", call.id(0), call.id(1));
            let event = shown(&name, operation);
            if notify {
                self.notify(call.id(0), "COMMAND", Some(&event), moment);
            }
        }
        Ok(Value::Object(Map::new()))
    }

    /// Lets the time that has passed take its effect on a device's operations.
    pub(crate) fn settle(&mut self, enterprise_id: &str, device: &str, moment: Moment) {
        let name = format!("enterprises/{enterprise_id}/devices/{device}");
        let Some(enterprise) = self.enterprises.get_mut(enterprise_id) else { return };
        let expired: Vec<Value> = enterprise
            .operations(device)
            .into_iter()
            .flatten()
            .filter_map(|operation| operation.expire(moment.world).then(|| shown(&name, operation)))
            .collect();
        if self.settings.notify_unfinished {
            for event in expired {
                self.notify(enterprise_id, "COMMAND", Some(&event), moment);
            }
        }
    }
}
