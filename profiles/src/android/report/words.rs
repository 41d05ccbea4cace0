//! Google's reasons in words that people use; a reason newer than this program is shown as Google spells it.

use super::device::Detail;

/// One thing a phone does not comply with, told.
pub(super) fn told(detail: &Detail<'_>) -> String {
    let mut words = match specific(detail.specific) {
        Some(words) => words.to_owned(),
        None => reason(detail.reason),
    };
    if let Some(why) = installation(detail.installation) {
        words.push_str(": ");
        words.push_str(&why);
    }
    if detail.package.is_empty() { words } else { format!("{}: {words}", shown(detail.package)) }
}

fn reason(name: &str) -> String {
    match name {
        "" | "NON_COMPLIANCE_REASON_UNSPECIFIED" => "the phone does not comply, and does not say why",
        "API_LEVEL" => "the phone's Android is too old for this setting",
        "MANAGEMENT_MODE" => "this kind of management does not allow the setting",
        "USER_ACTION" => "the holder has not done yet what is needed",
        "INVALID_VALUE" => "the phone refuses the value",
        "APP_NOT_INSTALLED" => "the app is not installed",
        "UNSUPPORTED" => "the phone's Android Device Policy app is too old for this setting",
        "APP_INSTALLED" => "an app that is not allowed is installed",
        "PENDING" => "the phone has not applied it yet, and will shortly",
        "APP_INCOMPATIBLE" => "the app does not support it",
        "APP_NOT_UPDATED" => "the app is older than it should be",
        "OS_NOT_PERMITTED" => "the phone's Android is older than the policy permits",
        "DEVICE_INCOMPATIBLE" => "this model of phone cannot do it",
        "APP_SIGNING_CERT_MISMATCH" => "the app is signed by somebody else",
        "PROJECT_NOT_PERMITTED" => "Google does not let this installation's project use the setting",
        other => return format!("Google gives the reason {}", shown(other)),
    }
    .to_owned()
}

fn specific(name: &str) -> Option<&'static str> {
    Some(match name {
        "PASSWORD_POLICIES_USER_CREDENTIALS_CONFIRMATION_REQUIRED" => {
            "the holder has to type the PIN once, so that the phone can judge it"
        }
        "PASSWORD_POLICIES_PASSWORD_EXPIRED" => "the PIN has run out, and the holder has to choose a new one",
        "PASSWORD_POLICIES_PASSWORD_NOT_SUFFICIENT" => {
            "the present PIN does not comply; the phone asks the holder to change it"
        }
        "ONC_WIFI_INVALID_VALUE" => "a value of the Wi-Fi network is wrong",
        "ONC_WIFI_API_LEVEL" => "the phone's Android is too old for this kind of Wi-Fi network",
        "ONC_WIFI_USER_SHOULD_REMOVE_NETWORK" => "the holder has to remove the network by hand",
        "PERMISSIBLE_USAGE_RESTRICTION" => "Google does not let this installation's project use the setting",
        "USER_NOT_UNLOCKED" => "the phone has not been unlocked since it was switched on",
        _ => return None,
    })
}

fn installation(name: &str) -> Option<String> {
    Some(
        match name {
            "" | "INSTALLATION_FAILURE_REASON_UNSPECIFIED" => return None,
            "INSTALLATION_FAILURE_REASON_UNKNOWN" => "something on the phone prevents it, and it will be tried again",
            "IN_PROGRESS" => "it is being installed",
            "NOT_FOUND" => "the Play Store does not have it",
            "NOT_COMPATIBLE_WITH_DEVICE" => "it does not run on this phone",
            "NOT_APPROVED" => "the council has not approved it in managed Google Play",
            "PERMISSIONS_NOT_ACCEPTED" => "it asks for new permissions that have not been accepted",
            "NOT_AVAILABLE_IN_COUNTRY" => "it is not available in this country",
            "NO_LICENSES_REMAINING" => "there is no licence left",
            "NOT_ENROLLED" => "the council is no longer enrolled in managed Google Play",
            "USER_INVALID" => "the account on the phone is no longer valid",
            "NETWORK_ERROR_UNRELIABLE_CONNECTION" => "the phone's connection is not good enough",
            "INSUFFICIENT_STORAGE" => "the phone has no room for it",
            other => return Some(format!("Google gives the reason {}", shown(other))),
        }
        .to_owned(),
    )
}

/// Google's security posture in words.
pub(super) fn posture(name: &str) -> String {
    match name {
        "SECURE" => "secure",
        "AT_RISK" => "at risk: more open to attack than is good for council data",
        "POTENTIALLY_COMPROMISED" => "perhaps compromised: others may get at council data",
        "" | "POSTURE_UNSPECIFIED" => "not assessed",
        other => return format!("Google calls it {}", shown(other)),
    }
    .to_owned()
}

/// A risk that Google names, in words.
pub(super) fn risk(name: &str) -> String {
    match name {
        "UNKNOWN_OS" => "the phone runs a system that its maker did not certify",
        "COMPROMISED_OS" => "the phone's system has been tampered with",
        "HARDWARE_BACKED_EVALUATION_FAILED" => "the phone cannot prove that its system is genuine",
        "" | "SECURITY_RISK_UNSPECIFIED" => "Google names no risk",
        other => return format!("Google names the risk {}", shown(other)),
    }
    .to_owned()
}

/// Encryption in words.
pub(super) fn encryption(name: &str) -> String {
    match name {
        "ACTIVE_PER_USER" => "encrypted, with keys tied to the PIN",
        "ACTIVE" => "encrypted",
        "ACTIVE_DEFAULT_KEY" => "encrypted, but under a key that no PIN protects",
        "ACTIVATING" => "being encrypted",
        "INACTIVE" => "not encrypted",
        "UNSUPPORTED" => "cannot be encrypted",
        "" | "ENCRYPTION_STATUS_UNSPECIFIED" => "not said",
        other => return format!("Google calls it {}", shown(other)),
    }
    .to_owned()
}

/// A word from outside, kept short and readable.
pub(super) fn shown(text: &str) -> String {
    crate::policy::printable(text).chars().take(80).collect()
}
