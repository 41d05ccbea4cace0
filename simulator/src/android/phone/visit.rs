//! One visit to Google: hear what applies, obey, carry out commands, report.

use std::collections::BTreeSet;

use serde_json::Value;

use super::commands::Came;
use super::report::report;
use super::state::{AppliedPolicy, Because, Happening};
use super::{AndroidPhone, Phone};
use crate::android::cloud::{Ended, Orders, Visit};

/// What a visit came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visited {
    /// It is not managed.
    NotManaged,
    /// It did not reach Google; what it does by itself it did.
    Offline,
    /// Google does not know it, or no longer.
    Unknown,
    /// It obeyed.
    Obeyed,
    /// It is wiped, or its work profile is.
    Gone,
}

impl AndroidPhone {
    /// Visits Google once, as a phone does when it is called or now and then by itself.
    pub fn sync(&self) -> Visited {
        self.core.change(Phone::visit)
    }

    /// Visits Google once and reports even if nothing changed.
    pub fn report(&self) -> Visited {
        self.core.change(|phone| {
            phone.reported = None;
            phone.visit()
        })
    }
}

impl Phone {
    pub(super) fn visit(&mut self) -> Visited {
        let (Some(cloud), Some(enrolled), Some(mode)) = (self.cloud.clone(), self.enrolled.clone(), self.state.mode)
        else {
            return Visited::NotManaged;
        };
        if !self.state.online {
            self.enforce();
            return if self.enrolled.is_some() { Visited::Offline } else { Visited::Gone };
        }
        let orders = match cloud.with(|state, moment| state.visit(&enrolled, moment)) {
            Visit::Unknown => {
                if !matches!(self.state.events.last(), Some(event) if event.what == Happening::Forgotten) {
                    self.happened(Happening::Forgotten);
                }
                self.enforce();
                return Visited::Unknown;
            }
            Visit::Deleted { flags, reason } => {
                self.happened(Happening::Deleted { flags, reason });
                self.wipe(Because::Deleted);
                cloud.with(|state, moment| state.leave(&enrolled, moment));
                return Visited::Gone;
            }
            Visit::Managed(orders) => orders,
        };
        self.obey(&orders, &enrolled.enterprise);
        for (operation, command) in &orders.commands {
            self.happened(Happening::Command { operation: operation.clone(), command: Value::Object(command.clone()) });
            let kind = command.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
            let (ended, over) = match self.execute(operation, command, mode) {
                Came::Answered(ended) => (ended, None),
                Came::Over(because) => (Ended::default(), Some(because)),
                Came::Lost => continue,
            };
            let failure = ended.error_code.clone().or_else(|| {
                let (_, status) = ended.status.as_ref().filter(|_| ended.failed)?;
                status["status"].as_str().map(str::to_owned)
            });
            self.happened(Happening::CommandEnded { operation: operation.clone(), kind, failure });
            cloud.with(|state, moment| state.end_command(&enrolled, operation, ended, moment));
            if let Some(because) = over {
                self.wipe(because);
                cloud.with(|state, moment| state.leave(&enrolled, moment));
                return Visited::Gone;
            }
        }
        self.enforce();
        if self.enrolled.is_none() {
            // It wiped itself. Nobody is told, as when its holder does it.
            return Visited::Gone;
        }
        let said = report(&self.options, &self.state, mode, &enrolled.enterprise, 0);
        if !self.silent() && self.reported.as_ref() != Some(&said) {
            cloud.with(|state, moment| {
                let dated = report(&self.options, &self.state, mode, &enrolled.enterprise, moment.world);
                state.report(&enrolled, dated, moment);
            });
            self.reported = Some(said);
        }
        Visited::Obeyed
    }

    fn obey(&mut self, orders: &Orders, enterprise: &str) {
        let name = format!("enterprises/{enterprise}/policies/{}", orders.policy_id);
        let known = self.state.policy.as_ref();
        let other = known.is_none_or(|known| known.name != name || known.version != orders.policy_version);
        // Without a policy a phone waits in PROVISIONING.
        if other && orders.policy_version > 0 {
            let version = orders.policy_version;
            self.state.policy =
                Some(AppliedPolicy { name: name.clone(), version, body: std::sync::Arc::clone(&orders.policy) });
            self.happened(Happening::Policy { name, version });
            self.install(&orders.policy);
            let networks = orders.policy.pointer("/openNetworkConfiguration/NetworkConfigurations");
            let names = networks.and_then(Value::as_array).into_iter().flatten();
            self.state.networks = names.filter_map(|network| network["Name"].as_str()).map(str::to_owned).collect();
        }
        if self.state.policy.is_none() {
            return self.take_state("PROVISIONING");
        }
        match (orders.state.as_str(), self.state.lost_mode.is_some()) {
            ("DISABLED", _) => self.take_state("DISABLED"),
            (_, true) => self.take_state("LOST"),
            _ => self.take_state("ACTIVE"),
        }
    }

    /// Brings the apps on the council's side in line with a policy.
    fn install(&mut self, policy: &Value) {
        let list = policy.get("applications").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let named = |types: &[&str]| -> BTreeSet<String> {
            let meant = list.iter().filter(|app| app["installType"].as_str().is_some_and(|kind| types.contains(&kind)));
            meant.filter_map(|app| app["packageName"].as_str()).map(str::to_owned).collect()
        };
        let forced = named(&["FORCE_INSTALLED", "REQUIRED_FOR_SETUP", "PREINSTALLED", "KIOSK", "CUSTOM"]);
        let blocked = named(&["BLOCKED"]);
        let listed: BTreeSet<&str> = list.iter().filter_map(|app| app["packageName"].as_str()).collect();
        // Unless the policy says otherwise, what it does not list is removed.
        let open = policy.get("playStoreMode").is_some_and(|mode| mode == "BLACKLIST");
        let gone: Vec<String> = self
            .state
            .work_apps
            .iter()
            .filter(|app| blocked.contains(*app) || (!open && !listed.contains(app.as_str())))
            .cloned()
            .collect();
        for package in gone {
            self.state.work_apps.remove(&package);
            self.happened(Happening::App { package, installed: false });
        }
        for package in forced {
            let available = !self.options.unavailable_packages.contains(&package);
            if available && self.state.work_apps.insert(package.clone()) {
                self.happened(Happening::App { package, installed: true });
            }
        }
    }
}
