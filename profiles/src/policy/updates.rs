//! System updates: devices, also the holder's own, are kept patched.

use serde::{Deserialize, Serialize};

use super::{
    Document::{Coreley, Germoe},
    Policy,
};
use crate::android::report::{Witness, judge};
use crate::android::updates::{api_level, automatic};
use crate::apple::report;
use crate::coverage::Status::{Enforced as E, NotPossible as N, ReportedOnly as R};
use crate::mode::Mode;
use crate::setting::{Android, Effect, Evidence, Says, Setting, does, no_keys, no_problem};

/// System updates.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Updates {
    /// Devices are kept current (Germoe 2.2, Coreley 2.2.2).
    pub kept_current: bool,
    /// Oldest iOS or iPadOS that will do, such as `17.6.1`; unset where the council has not decided.
    pub minimum_ios: Option<String>,
    /// Oldest Android version that will do, such as 12; unset where the council has not decided.
    pub minimum_android: Option<u8>,
    /// Days within which a security patch should be on an Android phone, 1 to 365.
    pub patch_within_days: Option<u16>,
}

/// Reads `17`, `17.6` or `17.6.1`; missing parts count as 0.
pub(crate) fn parse_version(text: &str) -> Option<[u32; 3]> {
    let mut version = [0; 3];
    let mut places = version.iter_mut();
    for part in text.split('.') {
        let all_digits = !part.is_empty() && part.len() <= 4 && part.bytes().all(|byte| byte.is_ascii_digit());
        *places.next()? = if all_digits {
            part.parse().ok()?
        } else {
            return None;
        };
    }
    Some(version)
}

fn minimum_ios_effect(policy: &Policy, mode: Mode) -> Effect {
    let minimum = policy.updates.minimum_ios.as_deref().unwrap_or_default();
    match mode {
        Mode::Supervised | Mode::Device => does("The phone reports its version; an older one is flagged.").but(
            format!("policy says iOS {minimum} or newer; Beadle does not order updates yet, the holder installs them"),
        ),
        Mode::User => does("The phone reports its version; an older one is flagged.")
            .but(format!("policy says iOS {minimum} or newer; the holder of a personal phone installs updates")),
        _ => does("Nothing: this is for iPhones and iPads."),
    }
}

pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        name: "updates.kept_current",
        title: "Kept up to date",
        clauses: &[(Germoe, "2.2"), (Coreley, "2.2.2")],
        modes: [R, R, R, E, E, R],
        says: |policy| {
            if policy.updates.kept_current {
                Says::Asked("Devices are kept patched".into())
            } else {
                Says::Open("whether devices must be kept patched".into())
            }
        },
        effect: |_, mode| match mode {
            Mode::Supervised | Mode::Device => does("The phone reports its version.")
                .but("Beadle does not order updates yet; the holder installs them"),
            Mode::User => does("The phone reports its version.").but("the holder of a personal phone installs updates"),
            Mode::FullyManaged | Mode::CompanyWorkProfile => {
                does("System updates install by themselves as soon as the maker offers them.")
            }
            Mode::PersonalWorkProfile => {
                does("The phone reports its patch level.").but("the holder of a personal phone installs updates")
            }
        },
        apple: no_keys,
        evidence: Evidence::Report(report::version_reported),
        android: Android {
            fields: &["systemUpdate"],
            witness: Witness::Report(judge::kept_current),
            write: |policy, draft| {
                if policy.updates.kept_current && draft.is_company_owned() {
                    draft.resource.system_update = Some(automatic());
                }
            },
        },
        problem: no_problem,
    },
    Setting {
        name: "updates.minimum_ios",
        title: "Oldest iOS that will do",
        clauses: &[(Germoe, "2.2"), (Coreley, "2.2.2")],
        modes: [R, R, R, N, N, N],
        says: |policy| match &policy.updates.minimum_ios {
            Some(version) => Says::Asked(format!("iOS or iPadOS {version} or newer")),
            None => Says::Open("which iOS version is the oldest that will do".into()),
        },
        effect: minimum_ios_effect,
        apple: no_keys,
        evidence: Evidence::Report(report::minimum_version),
        android: Android::NOTHING,
        problem: |policy| {
            let version = policy.updates.minimum_ios.as_deref()?;
            parse_version(version)
                .is_none()
                .then(|| format!("\"{version}\" is not a version; write it like 17 or 17.6.1, or \"none\""))
        },
    },
    Setting {
        name: "updates.minimum_android",
        title: "Oldest Android that will do",
        clauses: &[(Germoe, "2.2"), (Coreley, "2.2.2")],
        modes: [N, N, N, R, R, R],
        says: |policy| match policy.updates.minimum_android {
            Some(version) => Says::Asked(format!("Android {version} or newer")),
            None => Says::Open("which Android version is the oldest that will do".into()),
        },
        effect: |_, mode| match mode {
            Mode::Supervised | Mode::Device | Mode::User => does("Nothing: this is for Android phones."),
            _ => does("An older phone counts as not complying and is flagged.")
                .but("nothing on it is blocked: its holder cannot help it"),
        },
        apple: no_keys,
        evidence: Evidence::Nothing,
        android: Android {
            fields: &["minimumApiLevel"],
            witness: Witness::Report(judge::minimum_version),
            write: |policy, draft| draft.resource.minimum_api_level = policy.updates.minimum_android.map(api_level),
        },
        problem: |policy| {
            let version = policy.updates.minimum_android?;
            (!(8..=40).contains(&version))
                .then(|| format!("Android {version} is out of range; choose 8 to 40, or \"none\""))
        },
    },
    Setting {
        name: "updates.patch_within_days",
        title: "Security patches within days",
        clauses: &[],
        modes: [N, N, N, R, R, R],
        says: |policy| match policy.updates.patch_within_days {
            Some(days) => Says::Asked(format!("Security patches within {days} days")),
            None => Says::Silent,
        },
        effect: |_, mode| match mode {
            Mode::Supervised | Mode::Device | Mode::User => {
                does("Nothing.").but("an iPhone reports no patch level; set updates.minimum_ios instead")
            }
            _ => does(
                "The phone reports its patch level; one that a newer monthly level has overtaken for longer is flagged.",
            ),
        },
        apple: no_keys,
        evidence: Evidence::Nothing,
        // Google has no field for it: the phone reports its patch level and Beadle judges.
        android: Android { fields: &[], witness: Witness::Report(judge::patch_age), write: |_, _| {} },
        problem: |policy| {
            let days = policy.updates.patch_within_days?;
            (!(1..=365).contains(&days)).then(|| format!("{days} is out of range; choose 1 to 365 days, or \"none\""))
        },
    },
];

#[cfg(test)]
mod tests {
    use super::parse_version;

    #[test]
    fn versions_compare_by_number() {
        assert!(parse_version("17.10").unwrap() > parse_version("17.9.3").unwrap());
        assert_eq!(parse_version("18").unwrap(), [18, 0, 0]);
        for wrong in ["", "17.", "17.6.1.2", "seventeen", "-1", "17.+6", "99999"] {
            assert_eq!(parse_version(wrong), None, "{wrong}");
        }
    }
}
