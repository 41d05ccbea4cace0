//! Apps and purchases: nothing is bought or installed without authorisation.

use serde::{Deserialize, Serialize};

use super::Document::{Coreley, Germoe};
use crate::apple::keys::{
    Reach::{CouncilDevices, Supervised},
    restriction,
};
use crate::coverage::Status::{Enforced as E, NotPossible as N};
use crate::mode::Mode;
use crate::setting::{Evidence, Says, Setting, does, no_problem};

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
}

impl Default for Apps {
    fn default() -> Self {
        Self { purchases_allowed: true, holder_may_install: None, other_sources_allowed: true }
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
            Mode::FullyManaged => does("Only apps on the council's list can be installed."),
            Mode::CompanyWorkProfile | Mode::PersonalWorkProfile => {
                does("Only apps on the council's list can be installed in the work profile.")
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
        effect: |_, mode| match mode {
            Mode::Supervised => does(
                "Apps signed by other developers are not trusted; other marketplaces and web downloads are blocked.",
            ),
            Mode::Device => does("Apps signed by other developers are not trusted.")
                .but("other marketplaces, where Apple offers them, can be blocked only on a supervised phone"),
            Mode::User => does("Nothing.").but("apps on a personal phone are the holder's own"),
            Mode::FullyManaged | Mode::CompanyWorkProfile => does("Apps from unknown sources are blocked."),
            Mode::PersonalWorkProfile => does("Apps from unknown sources are blocked in the work profile.")
                .but("the personal side stays as the holder wants it"),
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
        problem: no_problem,
    },
];
