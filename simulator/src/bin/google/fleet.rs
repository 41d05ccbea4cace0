//! The phones of the program: numbered from 0, each living by itself.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use beadle_simulator::android::GoogleCloud;
use beadle_simulator::android::phone::{AndroidOptions, AndroidPhone, Living, Lock, PhoneState};
use serde_json::{Value, json};

pub(crate) struct Fleet {
    phones: Mutex<Vec<(AndroidPhone, Living)>>,
    answer_after: Duration,
}

impl Fleet {
    pub(crate) fn new(answer_after: Duration) -> Self {
        Self { phones: Mutex::default(), answer_after }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(AndroidPhone, Living)>> {
        self.phones.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new phone; options that the test gives replace the usual ones. Gives its number.
    pub(crate) fn add(&self, company: bool, options: &Value) -> Result<usize, String> {
        let mut phones = self.lock();
        let name = format!("phone {}", phones.len());
        let usual = if company { AndroidOptions::company(&name) } else { AndroidOptions::personal(&name) };
        let mut whole = serde_json::to_value(AndroidOptions { answer_after: self.answer_after, ..usual })
            .map_err(|error| error.to_string())?;
        for (field, value) in options.as_object().into_iter().flatten() {
            whole[field] = value.clone();
        }
        let phone = AndroidPhone::new(serde_json::from_value(whole).map_err(|error| error.to_string())?);
        let living = phone.live();
        phones.push((phone, living));
        Ok(phones.len() - 1)
    }

    pub(crate) fn get(&self, number: u64) -> Result<AndroidPhone, String> {
        let phones = self.lock();
        let place = usize::try_from(number).ok();
        let found = place.and_then(|place| phones.get(place)).map(|(phone, _)| phone.clone());
        found.ok_or_else(|| format!("there is no phone {number}"))
    }

    pub(crate) fn enrol(&self, cloud: &GoogleCloud, number: u64, offer: &Value) -> Result<String, String> {
        let phone = self.get(number)?;
        match (offer["link"].as_str(), offer["qr"].as_str()) {
            (Some(link), None) => phone.enrol_by_link(cloud, link),
            (None, Some(code)) => phone.enrol_by_qr(cloud, code),
            _ => return Err("link or qr, one of them, must be given".into()),
        }
        .map_err(|error| error.to_string())
    }

    /// What its holder does with it.
    pub(crate) fn act(&self, number: u64, act: &str) -> Result<Value, String> {
        let phone = self.get(number)?;
        match act {
            "online" => phone.set_online(true),
            "offline" => phone.set_online(false),
            "reset" => phone.reset(),
            "remove_work_profile" => phone.remove_work_profile(),
            "set_up_privately" => phone.set_up_privately(),
            "unlock" => phone.unlock(),
            "leave_lost_mode" => phone.leave_lost_mode(),
            "weak_pin" => phone.set_screen_lock(Lock::simple_pin(4)),
            "strong_pin" => phone.set_screen_lock(Lock::pin(8)),
            "work_lock" => phone.set_work_lock(Some(Lock::pin(6))),
            "sync" => return Ok(json!(format!("{:?}", phone.sync()))),
            "report" => return Ok(json!(format!("{:?}", phone.report()))),
            other => return Err(format!("a phone cannot {other}")),
        }
        Ok(Value::Null)
    }

    pub(crate) fn set_online(&self, online: bool) {
        self.lock().iter().for_each(|(phone, _)| phone.set_online(online));
    }

    /// Every phone in short: number, device, mode, policy version, state.
    pub(crate) fn list(&self) -> Value {
        let short = |(number, (phone, _)): (usize, &(AndroidPhone, Living))| {
            let state = phone.snapshot();
            json!({
                "phone": number,
                "device": state.device,
                "mode": state.mode,
                "online": state.online,
                "policy": state.policy.as_ref().map(|policy| json!({ "name": policy.name, "version": policy.version })),
                "state": state.applied_state,
                "personal_data": state.personal_data,
                "work_data": state.work_data,
                "wipes": wipes(&state),
            })
        };
        self.lock().iter().enumerate().map(short).collect()
    }

    /// How many phones there are in each mode, on each version of a policy, and every wipe.
    pub(crate) fn counts(&self) -> Value {
        let mut modes: BTreeMap<String, u64> = BTreeMap::new();
        let mut versions: BTreeMap<String, u64> = BTreeMap::new();
        let mut wiped = Vec::new();
        let phones = self.lock();
        for (number, (phone, _)) in phones.iter().enumerate() {
            let state = phone.snapshot();
            let mode = state.mode.map_or("not managed".to_owned(), |mode| format!("{mode:?}"));
            *modes.entry(mode).or_default() += 1;
            if let Some(policy) = &state.policy {
                *versions.entry(format!("{} {}", policy.name, policy.version)).or_default() += 1;
            }
            for wipe in wipes(&state) {
                wiped.push(json!({ "phone": number, "wipe": wipe }));
            }
        }
        json!({ "phones": phones.len(), "modes": modes, "policies": versions, "wipes": wiped })
    }
}

fn wipes(state: &PhoneState) -> Vec<Value> {
    state.wipes().into_iter().map(|(whole, because)| json!({ "whole_phone": whole, "because": because })).collect()
}
