//! Which apps a phone, or its work profile, has and may have.
//!
//! `playStoreMode` is always said: left out, Google takes `WHITELIST`, which uninstalls every app that is not on the list.

use super::message::{members, message};
use crate::policy::Policy;

message! {
    /// `ApplicationPolicy`, one app.
    ApplicationPolicy {
        package_name: String,
        install_type: InstallType,
    }
}

members! {
    /// What happens to a listed app.
    InstallType {
        /// The holder may install it.
        Available = "AVAILABLE",
        /// It is installed and stays.
        ForceInstalled = "FORCE_INSTALLED",
    }
}

members! {
    /// What happens to apps that are not listed.
    PlayStoreMode {
        /// They may be installed; the list can still block some.
        AllBut = "BLACKLIST",
        /// They may not, and go where they are installed.
        Only = "WHITELIST",
    }
}

/// The apps that the council installs, then those it allows.
pub(crate) fn listed(policy: &Policy) -> Option<Vec<ApplicationPolicy>> {
    let entry = |name: &String, install_type| ApplicationPolicy {
        package_name: Some(name.clone()),
        install_type: Some(install_type),
    };
    let required = policy.apps.android_required.iter().map(|name| entry(name, InstallType::ForceInstalled));
    let allowed = policy.apps.android_allowed.iter().map(|name| entry(name, InstallType::Available));
    let apps: Vec<ApplicationPolicy> = required.chain(allowed).collect();
    (!apps.is_empty()).then_some(apps)
}
