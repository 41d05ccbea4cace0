//! Apps and purchases: nothing is bought or installed without authorisation.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Document::{Coreley, Germoe};
use crate::android::applications::{self, PlayStoreMode};
use crate::android::report::{Witness, judge};
use crate::android::security;
use crate::apple::keys::{
    Reach::{CouncilDevices, Supervised},
    restriction,
};
use crate::coverage::Status::{Enforced as E, NotPossible as N};
use crate::mode::Mode;
use crate::setting::{Android, Evidence, Says, Setting, does, no_keys, no_problem};

/// Apps and purchases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Apps {
    /// Whether something may be bought inside apps (Germoe 1.1.7, Coreley 1.1.6).
    pub purchases_allowed: bool,
    /// Whether the holder may install apps; unset where the council has not decided (Germoe 1.1.7, Coreley 1.1.6).
    pub holder_may_install: Option<bool>,
    /// Whether apps may come from elsewhere than the platform's own store.
    pub other_sources_allowed: bool,
    /// Android apps that the council installs, by package name (`org.mozilla.firefox`).
    pub android_required: Vec<String>,
    /// Android apps that the holder may install where others may not be, by package name.
    pub android_allowed: Vec<String>,
}

impl Default for Apps {
    fn default() -> Self {
        Self {
            purchases_allowed: true,
            holder_may_install: None,
            other_sources_allowed: true,
            android_required: Vec::new(),
            android_allowed: Vec::new(),
        }
    }
}

pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        name: "apps.purchases_allowed",
        title: "No purchases inside apps",
        clauses: &[(Germoe, "1.1.7"), (Coreley, "1.1.6")],
        modes: [E, E, N, N, N, N],
        says: |policy| {
            if policy.apps.purchases_allowed {
                Says::Allowed("Purchases inside apps are allowed".into())
            } else {
                Says::Asked("Nothing is bought without authorisation".into())
            }
        },
        effect: |_, mode| match mode {
            Mode::Supervised | Mode::Device => {
                does("Purchases inside apps are blocked.").but("buying an app itself in the App Store is not")
            }
            Mode::User => does("Nothing.").but("purchases on a personal phone are the holder's own"),
            _ => does("Nothing.").but("Android offers the council no setting for it"),
        },
        apple: |policy| {
            (!policy.apps.purchases_allowed)
                .then(|| restriction("allowInAppPurchases", false, CouncilDevices))
                .into_iter()
                .collect()
        },
        evidence: Evidence::Profile,
        android: Android::NOTHING,
        problem: no_problem,
    },
    Setting {
        name: "apps.holder_may_install",
        title: "No unauthorised apps",
        clauses: &[(Germoe, "1.1.7"), (Coreley, "1.1.6")],
        modes: [E, N, N, E, E, E],
        says: |policy| match policy.apps.holder_may_install {
            Some(false) => Says::Asked("The holder does not install apps".into()),
            Some(true) => Says::Allowed("The holder may install apps".into()),
            None => Says::Open("whether the holder may install apps on a council phone".into()),
        },
        effect: |_, mode| match mode {
            Mode::Supervised => does("The App Store is gone from the phone; the council installs what is needed."),
            Mode::Device => does("Nothing.").but(
                "an iPhone takes this only when it is supervised; installed apps are listed, and the clerk can ask",
            ),
            Mode::User => does("Nothing.").but("apps on a personal phone are the holder's own"),
            Mode::FullyManaged => does(
                "Only apps on the council's list can be installed; others that came from the Play Store are removed.",
            ),
            Mode::CompanyWorkProfile | Mode::PersonalWorkProfile => {
                does("Only apps on the council's list can be in the work profile; others are removed from it.")
                    .but("the personal side is the holder's own")
            }
        },
        apple: |policy| {
            (policy.apps.holder_may_install == Some(false))
                .then(|| restriction("allowUIAppInstallation", false, Supervised))
                .into_iter()
                .collect()
        },
        evidence: Evidence::Profile,
        android: Android {
            fields: &["playStoreMode"],
            witness: Witness::Applied,
            write: |policy, draft| {
                draft.resource.play_store_mode = Some(if policy.apps.holder_may_install == Some(false) {
                    PlayStoreMode::Only
                } else {
                    PlayStoreMode::AllBut
                });
            },
        },
        problem: no_problem,
    },
    Setting {
        name: "apps.other_sources_allowed",
        title: "Apps only from the official store",
        clauses: &[(Germoe, "1.1.7"), (Coreley, "1.1.6")],
        modes: [E, E, N, E, E, E],
        says: |policy| {
            if policy.apps.other_sources_allowed {
                Says::Allowed("Apps may come from elsewhere than the official store".into())
            } else {
                Says::Asked("Apps come from the official store only".into())
            }
        },
        effect: |_, mode| {
            match mode {
            Mode::Supervised => does(
                "Apps signed by other developers are not trusted; other marketplaces and web downloads are blocked.",
            ),
            Mode::Device => does("Apps signed by other developers are not trusted.")
                .but("other marketplaces, where Apple offers them, can be blocked only on a supervised phone"),
            Mode::User => does("Nothing.").but("apps on a personal phone are the holder's own"),
            Mode::FullyManaged | Mode::CompanyWorkProfile => {
                does("Apps from unknown sources are blocked on the whole phone, and Play Protect stays on.")
            }
            Mode::PersonalWorkProfile => does("Apps from unknown sources are blocked in the work profile.")
                .but("the personal side stays as the holder wants it, unknown sources and Play Protect included: Android could ban them on the whole phone, which a policy about council data does not need"),
        }
        },
        apple: |policy| {
            if policy.apps.other_sources_allowed {
                return Vec::new();
            }
            vec![
                restriction("allowEnterpriseAppTrust", false, CouncilDevices),
                restriction("allowMarketplaceAppInstallation", false, Supervised),
                restriction("allowWebDistributionAppInstallation", false, Supervised),
            ]
        },
        evidence: Evidence::Profile,
        android: Android {
            fields: &["advancedSecurityOverrides.untrustedAppsPolicy"],
            witness: Witness::Report(judge::other_sources),
            write: |policy, draft| security::other_sources(draft, policy.apps.other_sources_allowed),
        },
        problem: no_problem,
    },
    Setting {
        name: "apps.android_required",
        title: "Android apps the council installs",
        clauses: &[(Germoe, "1.1.7"), (Coreley, "1.1.6")],
        modes: [N, N, N, E, E, E],
        says: |policy| listed("Android apps installed by the council", &policy.apps.android_required),
        effect: |_, mode| match mode {
            Mode::FullyManaged => does("The apps are installed and cannot be removed."),
            Mode::CompanyWorkProfile | Mode::PersonalWorkProfile => {
                does("The apps are installed in the work profile and cannot be removed from it.")
            }
            _ => does(ANDROID_ONLY),
        },
        apple: no_keys,
        evidence: Evidence::Nothing,
        android: Android {
            fields: &["applications"],
            witness: Witness::Report(judge::required_apps),
            write: |policy, draft| draft.resource.applications = applications::listed(policy),
        },
        problem: |policy| packages_problem(&policy.apps.android_required),
    },
    Setting {
        name: "apps.android_allowed",
        title: "Android apps the holder may install",
        clauses: &[(Germoe, "1.1.7"), (Coreley, "1.1.6")],
        modes: [N, N, N, E, E, E],
        says: |policy| listed("Android apps the holder may install", &policy.apps.android_allowed),
        effect: |_, mode| match mode {
            Mode::FullyManaged => {
                does("The Play Store offers these apps and those the council installs, and no others.")
            }
            Mode::CompanyWorkProfile | Mode::PersonalWorkProfile => {
                does("The work profile's Play Store offers these apps and those the council installs, and no others.")
            }
            _ => does(ANDROID_ONLY),
        },
        apple: no_keys,
        evidence: Evidence::Nothing,
        // Written together with the required apps, which are in the same list.
        android: Android { fields: &["playStoreMode"], witness: Witness::Applied, write: |_, _| {} },
        problem: |policy| {
            let allowed = &policy.apps.android_allowed;
            if !allowed.is_empty() && policy.apps.holder_may_install != Some(false) {
                return Some(
                    "has no effect where the holder may install any app; also set apps.holder_may_install=false, or clear this with \"none\""
                        .into(),
                );
            }
            if let Some(twice) = allowed.iter().find(|name| policy.apps.android_required.contains(name)) {
                return Some(format!("\"{twice}\" is also in apps.android_required; remove it from one of them"));
            }
            packages_problem(allowed)
        },
    },
];

const ANDROID_ONLY: &str = "Nothing: this is for Android phones.";

/// Google takes 3,000 apps in a policy.
const MOST_APPS: usize = 1_500;

fn listed(what: &str, packages: &[String]) -> Says {
    if packages.is_empty() { Says::Silent } else { Says::Asked(format!("{what}: {}", packages.join(", "))) }
}

fn packages_problem(packages: &[String]) -> Option<String> {
    if packages.len() > MOST_APPS {
        return Some(format!("{} apps are too many; keep at most {MOST_APPS}", packages.len()));
    }
    let mut seen = BTreeSet::new();
    for name in packages {
        if !is_package(name) {
            return Some(format!(
                "{name:?} is not an Android package name; it looks like org.mozilla.firefox, as in the address of the app's page in the Play Store"
            ));
        }
        if !seen.insert(name) {
            return Some(format!("\"{name}\" is there twice; remove one"));
        }
    }
    None
}

/// An Android application id: at least two parts, each of letters, digits and underscores, beginning with a letter.
fn is_package(name: &str) -> bool {
    let part = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_alphabetic())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    name.len() <= 200 && name.contains('.') && name.split('.').all(part)
}

#[cfg(test)]
mod tests {
    use super::is_package;

    #[test]
    fn package_names() {
        for right in ["org.mozilla.firefox", "com.microsoft.office.outlook", "a.B_2"] {
            assert!(is_package(right), "{right}");
        }
        for wrong in ["", "firefox", ".org", "org.", "org..x", "org.2x", "org.m\u{fc}ll.x", "https://x.y/z"] {
            assert!(!is_package(wrong), "{wrong}");
        }
    }
}
