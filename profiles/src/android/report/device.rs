//! A `Device` resource read with tolerance: whatever is missing, of another type or newer than this program is simply not known.

use serde_json::Value;

/// The raw resource.
#[derive(Debug, Clone, Copy)]
pub(super) struct Device<'a>(pub(super) &'a Value);

/// One of `nonComplianceDetails`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Detail<'a> {
    /// The top-level field of the policy.
    pub(super) setting: &'a str,
    /// The exact place, with list numbers, if the phone names it.
    pub(super) path: &'a str,
    /// Google's reason.
    pub(super) reason: &'a str,
    /// Google's more exact reason, or empty.
    pub(super) specific: &'a str,
    /// Why an app could not be installed, or empty.
    pub(super) installation: &'a str,
    /// The app in question, or empty.
    pub(super) package: &'a str,
}

impl<'a> Device<'a> {
    /// A text, by JSON pointer.
    pub(super) fn text(self, pointer: &str) -> Option<&'a str> {
        self.0.pointer(pointer)?.as_str()
    }

    /// A switch.
    pub(super) fn flag(self, pointer: &str) -> Option<bool> {
        self.0.pointer(pointer)?.as_bool()
    }

    /// A number; `int64` travels as text.
    pub(super) fn number(self, pointer: &str) -> Option<i64> {
        let value = self.0.pointer(pointer)?;
        value.as_i64().or_else(|| value.as_str()?.parse().ok())
    }

    /// The entries of a list.
    pub(super) fn list(self, pointer: &str) -> Option<&'a Vec<Value>> {
        self.0.pointer(pointer)?.as_array()
    }

    /// Whether a PIN, pattern or password is set.
    pub(super) fn is_locked(self) -> Option<bool> {
        self.flag("/deviceSettings/isDeviceSecure")
    }

    /// Whether this is the last report of a phone that left management.
    pub(super) fn is_removed(self) -> bool {
        [self.text("/appliedState"), self.text("/state")].contains(&Some("DELETED"))
    }

    /// What the phone does not comply with.
    pub(super) fn non_compliance(self) -> Vec<Detail<'a>> {
        let part = |entry: &'a Value, name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
        let details = self.list("/nonComplianceDetails").into_iter().flatten().filter(|entry| entry.is_object());
        details
            .map(|entry| {
                let path = part(entry, "fieldPath");
                let setting = match part(entry, "settingName") {
                    "" => path.split(['.', '[']).next().unwrap_or_default(),
                    setting => setting,
                };
                Detail {
                    setting,
                    path,
                    reason: part(entry, "nonComplianceReason"),
                    specific: part(entry, "specificNonComplianceReason"),
                    installation: part(entry, "installationFailureReason"),
                    package: part(entry, "packageName"),
                }
            })
            .collect()
    }
}

impl Detail<'_> {
    /// Whether it is about one of these places in the policy. One that names no more than the top-level setting is about all of it;
    /// one that names a place is about that place, whatever its number in a list.
    pub(super) fn concerns(&self, fields: &[&str]) -> bool {
        let place = plain(if self.path.is_empty() { self.setting } else { self.path });
        fields.iter().any(|field| {
            let top = field.split('.').next().unwrap_or_default();
            self.setting == top && (is_inside(field, &place) || is_inside(&place, field))
        })
    }
}

/// `passwordPolicies[1].passwordQuality` without the numbers of entries.
fn plain(path: &str) -> String {
    let mut inside = false;
    path.chars()
        .filter(|&character| {
            inside = (inside || character == '[') && character != ']';
            !inside && character != ']'
        })
        .collect()
}

fn is_inside(path: &str, outer: &str) -> bool {
    path.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_concerns_what_it_names() {
        let detail = |setting: &'static str, path: &'static str| Detail { setting, path, ..Detail::default() };
        let usb = ["deviceConnectivityManagement.usbDataAccess"];
        assert!(detail("deviceConnectivityManagement", "").concerns(&usb));
        assert!(detail("deviceConnectivityManagement", "deviceConnectivityManagement.usbDataAccess").concerns(&usb));
        assert!(!detail("deviceConnectivityManagement", "deviceConnectivityManagement.configureWifi").concerns(&usb));
        assert!(!detail("cameraAccess", "").concerns(&usb));
        let length = ["passwordPolicies.passwordMinimumLength"];
        assert!(detail("passwordPolicies", "passwordPolicies[12].passwordMinimumLength").concerns(&length));
        assert!(detail("passwordPolicies", "passwordPolicies[0]").concerns(&length));
        assert!(!detail("passwordPolicies", "passwordPolicies[0].passwordMinimumLetters").concerns(&length));
        assert!(detail("applications", "applications[2].externalData.url").concerns(&["applications"]));
    }
}
