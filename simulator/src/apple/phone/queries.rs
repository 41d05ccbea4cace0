//! What the phone reports of itself: device, security, profiles, applications and certificates.

use plist::{Dictionary, Value};

use super::Phone;
use super::answers::pair;
use super::profile::{payload, payloads};

/// Access rights that single queries of DeviceInformation need.
const DEVICE_INFORMATION: u64 = 16;
const NETWORK_INFORMATION: u64 = 32;

const PASSCODE: &str = "com.apple.mobiledevice.passwordpolicy";

impl Phone {
    pub(crate) fn device_information(&self, command: &Dictionary, rights: u64) -> Dictionary {
        let options = &self.options;
        let lost = self.shared.read(|state| state.lost_mode.is_some());
        let cellular = options.imei.is_some();
        let awaiting = self.shared.read(|state| state.awaiting_configuration);
        let mut known: Vec<(&str, u64, Value)> = vec![
            ("UDID", 0, options.udid.clone().into()),
            ("AwaitingConfiguration", 0, awaiting.into()),
            ("DeviceName", DEVICE_INFORMATION, options.name.clone().into()),
            ("OSVersion", DEVICE_INFORMATION, options.os_version.clone().into()),
            ("BuildVersion", DEVICE_INFORMATION, options.build_version.clone().into()),
            ("ModelName", DEVICE_INFORMATION, model_name(&options.model).into()),
            ("Model", DEVICE_INFORMATION, "MPXV3B".into()),
            ("ProductName", DEVICE_INFORMATION, options.model.clone().into()),
            ("SerialNumber", DEVICE_INFORMATION, options.serial.clone().into()),
            ("DeviceCapacity", DEVICE_INFORMATION, 128.0.into()),
            ("AvailableDeviceCapacity", DEVICE_INFORMATION, 96.5.into()),
            ("BatteryLevel", DEVICE_INFORMATION, 0.82.into()),
            ("CellularTechnology", DEVICE_INFORMATION, i64::from(cellular).into()),
            ("IsSupervised", DEVICE_INFORMATION, options.supervised.into()),
            ("IsDeviceLocatorServiceEnabled", DEVICE_INFORMATION, false.into()),
            ("IsActivationLockEnabled", DEVICE_INFORMATION, false.into()),
            ("IsCloudBackupEnabled", DEVICE_INFORMATION, false.into()),
            ("IsDoNotDisturbInEffect", DEVICE_INFORMATION, false.into()),
            ("IsMDMLostModeEnabled", DEVICE_INFORMATION, lost.into()),
            ("TimeZone", DEVICE_INFORMATION, "Europe/London".into()),
            ("WiFiMAC", NETWORK_INFORMATION, "02:00:00:00:00:01".into()),
            ("BluetoothMAC", NETWORK_INFORMATION, "02:00:00:00:00:02".into()),
        ];
        if cellular {
            known.push(("ModemFirmwareVersion", DEVICE_INFORMATION, "1.60.02".into()));
            known.push(("IsRoaming", NETWORK_INFORMATION, false.into()));
            known.push(("DataRoamingEnabled", NETWORK_INFORMATION, false.into()));
            known.push(("PersonalHotspotEnabled", NETWORK_INFORMATION, false.into()));
        }
        if options.iccid.is_some() {
            known.push(("ServiceSubscriptions", NETWORK_INFORMATION, self.subscriptions()));
        }
        for (key, right, value) in [
            ("IMEI", DEVICE_INFORMATION, &options.imei),
            ("ICCID", NETWORK_INFORMATION, &options.iccid),
            ("PhoneNumber", NETWORK_INFORMATION, &options.phone_number),
        ] {
            if let Some(value) = value {
                known.push((key, right, value.clone().into()));
            }
        }
        let queries = command.get("Queries").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let mut responses = Dictionary::new();
        for query in queries.iter().filter_map(Value::as_string) {
            if let Some((key, right, value)) = known.iter().find(|(key, ..)| *key == query)
                && right & !rights == 0
            {
                responses.insert((*key).to_owned(), value.clone());
            }
        }
        responses
    }

    fn subscriptions(&self) -> Value {
        let options = &self.options;
        let mut slot = Dictionary::new();
        slot.insert("Slot".into(), "CTSubscriptionSlotOne".into());
        slot.insert("IsDataPreferred".into(), true.into());
        slot.insert("IsVoicePreferred".into(), true.into());
        slot.insert("IsRoaming".into(), false.into());
        for (key, value) in [("ICCID", &options.iccid), ("IMEI", &options.imei), ("PhoneNumber", &options.phone_number)]
        {
            if let Some(value) = value {
                slot.insert(key.into(), value.clone().into());
            }
        }
        Value::Array(vec![Value::Dictionary(slot)])
    }

    pub(crate) fn security_info(&self) -> Dictionary {
        let length = self.passcode_length;
        let demanded = self.shared.read(|state| {
            let policies = state.profiles.iter().filter_map(|profile| payload(&profile.document, PASSCODE));
            policies.fold((false, 0), |(forced, least), policy| {
                let minimum = policy.get("minLength").and_then(Value::as_unsigned_integer).unwrap_or(0);
                let force = policy.get("forcePIN").and_then(Value::as_boolean).unwrap_or(false);
                (forced || force, least.max(minimum))
            })
        });
        let compliant = match length {
            Some(length) => u64::from(length) >= demanded.1,
            None => !demanded.0,
        };
        let mut management = Dictionary::new();
        management.insert("IsUserEnrollment".into(), false.into());
        let mut info = Dictionary::new();
        info.insert("HardwareEncryptionCaps".into(), 3.into());
        info.insert("PasscodePresent".into(), length.is_some().into());
        info.insert("PasscodeCompliant".into(), compliant.into());
        info.insert("PasscodeCompliantWithProfiles".into(), compliant.into());
        info.insert("PasscodeLockGracePeriodEnforced".into(), self.grace_period().into());
        info.insert("ManagementStatus".into(), Value::Dictionary(management));
        info
    }

    /// Seconds until a sleeping phone asks for its passcode; without a policy the phone's own choice, at once.
    fn grace_period(&self) -> u64 {
        self.shared.read(|state| {
            let policies = state.profiles.iter().filter_map(|profile| payload(&profile.document, PASSCODE));
            let minutes = policies.filter_map(|policy| policy.get("maxGracePeriod")?.as_unsigned_integer());
            minutes.min().unwrap_or(0) * 60
        })
    }

    pub(crate) fn profile_list(&self, command: &Dictionary) -> Value {
        let managed_only = command.get("ManagedOnly").and_then(Value::as_boolean).unwrap_or(false);
        let list = self.shared.read(|state| {
            let shown = state.profiles.iter().filter(|profile| profile.managed || !managed_only);
            shown.map(|profile| (profile.document.clone(), profile.managed)).collect::<Vec<_>>()
        });
        Value::Array(list.iter().map(|(document, managed)| listed(document, *managed)).collect())
    }

    pub(crate) fn application_list(&self, command: &Dictionary) -> Value {
        let wanted = command.get("Identifiers").and_then(Value::as_array);
        let managed_only = command.get("ManagedAppsOnly").and_then(Value::as_boolean).unwrap_or(false);
        let shown = self.options.applications.iter().filter(|(identifier, ..)| {
            !managed_only && wanted.is_none_or(|wanted| wanted.iter().any(|one| one.as_string() == Some(identifier)))
        });
        let item = |(identifier, name, version): &(String, String, String)| {
            let texts =
                [("Identifier", identifier.as_str()), ("Name", name), ("ShortVersion", version), ("Version", version)];
            let mut item: Dictionary = texts.into_iter().map(pair).collect();
            item.insert("BundleSize".into(), 12_345_678.into());
            item.insert("DynamicSize".into(), 4096.into());
            item.insert("IsValidated".into(), true.into());
            Value::Dictionary(item)
        };
        Value::Array(shown.map(item).collect())
    }

    pub(crate) fn certificate_list(&self) -> Value {
        let mut list = Vec::new();
        if let Some(identity) = &self.identity {
            let certificate = &identity.certificate;
            let name = crate::apple::certificate::subject_entry(certificate, openssl::nid::Nid::COMMONNAME);
            let mut item = Dictionary::new();
            item.insert("CommonName".into(), name.unwrap_or_default().into());
            item.insert("Data".into(), Value::Data(certificate.to_der().unwrap_or_default()));
            item.insert("IsIdentity".into(), true.into());
            list.push(Value::Dictionary(item));
        }
        Value::Array(list)
    }
}

fn model_name(product: &str) -> String {
    product.chars().take_while(|letter| letter.is_ascii_alphabetic()).collect()
}

/// A profile as ProfileList shows it.
fn listed(document: &Value, managed: bool) -> Value {
    let common = [
        "PayloadIdentifier",
        "PayloadUUID",
        "PayloadVersion",
        "PayloadDisplayName",
        "PayloadOrganization",
        "PayloadDescription",
    ];
    let copy = |from: &Dictionary, keys: &[&str]| -> Dictionary {
        keys.iter().filter_map(|key| Some(((*key).to_owned(), from.get(key)?.clone()))).collect()
    };
    let empty = Dictionary::new();
    let profile = document.as_dictionary().unwrap_or(&empty);
    let mut item = copy(profile, &common);
    let forbidden = profile.get("PayloadRemovalDisallowed").and_then(Value::as_boolean).unwrap_or(false);
    item.insert("PayloadRemovalDisallowed".into(), forbidden.into());
    item.insert("HasRemovalPasscode".into(), false.into());
    item.insert("IsEncrypted".into(), false.into());
    item.insert("IsManaged".into(), managed.into());
    let content = payloads(document).into_iter().map(|payload| {
        let mut keys = common.to_vec();
        keys.push("PayloadType");
        Value::Dictionary(copy(payload, &keys))
    });
    item.insert("PayloadContent".into(), Value::Array(content.collect()));
    Value::Dictionary(item)
}
