//! InstallProfile and RemoveProfile: new settings, and the renewal of the phone's own identity.

use plist::{Dictionary, Value};

use super::enrol::{ScepAttempt, installed_profile};
use super::poll::Done;
use super::profile::{EnrolmentProfile, payload, profile_violations, read_profile, text};
use super::{ErrorItem, Phone};
use crate::apple::schema::Source;
use crate::{Error, Result};

impl Phone {
    /// Installs a profile sent by command; answers Acknowledged or Error as iOS would.
    pub(crate) async fn install_profile(&mut self, command: &Dictionary) -> Dictionary {
        match self.try_install(command).await {
            Ok(()) => self.status_message("Acknowledged"),
            Err(chain) => self.error_message(&chain),
        }
    }

    async fn try_install(&mut self, command: &Dictionary) -> std::result::Result<(), Vec<ErrorItem>> {
        let raw = command.get("Payload").and_then(Value::as_data).unwrap_or_default().to_vec();
        let (document, _) = read_profile(&raw).map_err(|error| failed(4000, &error))?;
        let violations = profile_violations(&self.options, &document, Source::Mdm);
        if !violations.is_empty() {
            let chain = vec![item(4001, &format!("Profile installation failed: {}", violations.join("; ")))];
            self.shared.change(|state| state.violations.extend(violations));
            return Err(chain);
        }
        let installed = installed_profile(&document, true).map_err(|error| failed(4000, &error))?;
        if payload(&document, "com.apple.mdm").is_some() {
            let profile = EnrolmentProfile::parse(&raw).map_err(|error| failed(4001, &error))?;
            self.renew(&profile).await?;
            self.shared.change(|state| {
                let before = state.profiles.iter().find(|known| known.identifier == installed.identifier);
                let managed = before.is_some_and(|known| known.managed);
                state.profiles.retain(|known| known.identifier != installed.identifier);
                state.profiles.push(super::InstalledProfile { managed, ..installed });
            });
            return Ok(());
        }
        self.shared.change(|state| {
            // A profile with the same identifier takes the old one's place.
            state.profiles.retain(|known| known.identifier != installed.identifier);
            state.profiles.push(installed);
        });
        Ok(())
    }

    /// The same MDM payload again, with a new SCEP payload: gets a new identity and checks in with it.
    async fn renew(&mut self, profile: &EnrolmentProfile) -> std::result::Result<(), Vec<ErrorItem>> {
        let Some(current) = self.management.clone() else {
            return Err(vec![ErrorItem::mdm(12011, "The device is not managed.")]);
        };
        let new = &profile.management;
        if new.payload_identifier != current.payload_identifier || new.profile_identifier != current.profile_identifier
        {
            return Err(vec![ErrorItem::mdm(12001, "There can be only one MDM payload.")]);
        }
        let unchanged = new.topic == current.topic
            && new.server_url == current.server_url
            && new.check_in_url == current.check_in_url;
        if !unchanged || new.access_rights & !current.access_rights != 0 {
            let why = "The new MDM payload changes topic, address or adds access rights.";
            return Err(vec![ErrorItem::mdm(12009, why)]);
        }
        let old_identity = self.identity.clone();
        let renewed = self.take_new_identity(profile).await;
        if let Err(error) = renewed {
            self.identity = old_identity;
            if self.management.is_some() {
                self.management = Some(current);
            }
            return Err(failed(4001, &error));
        }
        Ok(())
    }

    async fn take_new_identity(&mut self, profile: &EnrolmentProfile) -> Result<()> {
        let identity = self.scep_enrol(profile, &ScepAttempt::default()).await?;
        self.adopt(identity)?;
        self.management = Some(profile.management.clone());
        self.authenticate().await?;
        self.token_update().await?;
        Ok(())
    }

    /// Removes a profile; the enrolment profile takes management with it.
    pub(crate) fn remove_profile(&mut self, command: &Dictionary) -> Done {
        let identifier = text(command, "Identifier").unwrap_or_default();
        let own = self.management.as_ref().is_some_and(|management| management.profile_identifier == identifier);
        if own {
            return Done::LeaveManagement(self.status_message("Acknowledged"));
        }
        let removed = self.shared.change(|state| {
            let before = state.profiles.len();
            state.profiles.retain(|known| !(known.managed && known.identifier == identifier));
            state.profiles.len() < before
        });
        Done::Answer(if removed {
            self.status_message("Acknowledged")
        } else {
            self.error_message(&[ErrorItem::mdm(12013, "The profile is not managed by this server.")])
        })
    }
}

fn item(code: i64, description: &str) -> ErrorItem {
    ErrorItem { code, domain: "MCInstallationErrorDomain".into(), description: description.to_owned() }
}

fn failed(code: i64, error: &Error) -> Vec<ErrorItem> {
    vec![item(code, &format!("Profile installation failed: {error}"))]
}
