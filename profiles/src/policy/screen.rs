//! Screenshots, and what a locked screen shows: family and friends must not see work data.

use serde::{Deserialize, Serialize};

use super::Document::{Coreley, Germoe};
use crate::android::keyguard::{self, KeyguardFeature};
use crate::android::report::Witness;
use crate::apple::keys::{Reach::EveryMode, restriction};
use crate::coverage::Status::Enforced as E;
use crate::mode::Mode;
use crate::setting::{Android, Evidence, Says, Setting, does, no_problem};

/// Screenshots and what the locked screen shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Screen {
    /// Whether screenshots and screen recordings are allowed.
    pub screenshots_allowed: bool,
    /// Whether a locked phone shows notifications and the Today view (Germoe 2.2, Coreley 2.2.7).
    pub previews_when_locked: bool,
}

impl Default for Screen {
    fn default() -> Self {
        Self { screenshots_allowed: true, previews_when_locked: true }
    }
}

pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        name: "screen.screenshots_allowed",
        title: "No screenshots",
        clauses: &[],
        modes: [E, E, E, E, E, E],
        says: |policy| {
            if policy.screen.screenshots_allowed {
                Says::Silent
            } else {
                Says::Asked("No screenshots or screen recordings".into())
            }
        },
        effect: |_, mode| match mode {
            Mode::Supervised | Mode::Device | Mode::FullyManaged => {
                does("Screenshots and screen recordings are blocked.")
            }
            Mode::User => does("Screenshots of work apps are blocked.").but("the personal side may take screenshots"),
            Mode::CompanyWorkProfile | Mode::PersonalWorkProfile => {
                does("Screenshots of work apps are blocked.").but("the personal side may take screenshots")
            }
        },
        apple: |policy| {
            (!policy.screen.screenshots_allowed)
                .then(|| restriction("allowScreenShot", false, EveryMode))
                .into_iter()
                .collect()
        },
        evidence: Evidence::Profile,
        android: Android {
            fields: &["screenCaptureDisabled"],
            witness: Witness::Applied,
            write: |policy, draft| draft.resource.screen_capture_disabled = Some(!policy.screen.screenshots_allowed),
        },
        problem: no_problem,
    },
    Setting {
        name: "screen.previews_when_locked",
        title: "Locked screen shows no work data",
        clauses: &[(Germoe, "2.2"), (Coreley, "2.2.7")],
        modes: [E, E, E, E, E, E],
        says: |policy| {
            if policy.screen.previews_when_locked {
                Says::Allowed("A locked screen may show notifications".into())
            } else {
                Says::Asked("Family and friends cannot see work data on a locked phone".into())
            }
        },
        effect: |_, mode| {
            match mode {
            Mode::Supervised | Mode::Device | Mode::User => does("A locked phone shows neither past notifications nor the Today view.").but(
                "a notification still shows at the moment it arrives; the holder should turn its preview off under Settings, Notifications",
            ),
            Mode::FullyManaged => does("A locked phone hides the text of notifications."),
            Mode::CompanyWorkProfile | Mode::PersonalWorkProfile => {
                does("A locked phone hides the text of work notifications.").but("personal notifications are the holder's choice")
            }
        }
        },
        apple: |policy| {
            if policy.screen.previews_when_locked {
                return Vec::new();
            }
            vec![
                restriction("allowLockScreenNotificationsView", false, EveryMode),
                restriction("allowLockScreenTodayView", false, EveryMode),
            ]
        },
        evidence: Evidence::Profile,
        android: Android {
            fields: &["keyguardDisabledFeatures"],
            witness: Witness::Applied,
            write: |policy, draft| {
                if !policy.screen.previews_when_locked {
                    keyguard::take_off(draft, KeyguardFeature::UnredactedNotifications);
                }
            },
        },
        problem: no_problem,
    },
];
