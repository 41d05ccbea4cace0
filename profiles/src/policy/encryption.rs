//! Encryption of what a phone stores: asked of all portable equipment.

use serde::{Deserialize, Serialize};

use super::{
    Document::{Coreley, Germoe},
    Policy,
};
use crate::android::report::{Witness, judge};
use crate::android::resource::EncryptionPolicy;
use crate::apple::report;
use crate::coverage::Status::{Enforced as E, ReportedOnly as R};
use crate::mode::Platform;
use crate::setting::{Android, Evidence, Says, Setting, does, no_keys};

/// Encryption of what is stored.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Encryption {
    /// Portable devices are encrypted (Germoe 2.1.4, Coreley 2.1.4).
    pub required: bool,
}

pub(crate) const SETTINGS: &[Setting] = &[Setting {
    name: "encryption.required",
    title: "Encryption",
    clauses: &[(Germoe, "2.1.4"), (Coreley, "2.1.4")],
    modes: [R, R, R, E, E, E],
    says: |policy| {
        if policy.encryption.required {
            Says::Asked("Portable devices are encrypted".into())
        } else {
            Says::Open("whether phones must be encrypted".into())
        }
    },
    effect: |_, mode| match mode.platform() {
        Platform::Apple => does("Every iPhone encrypts what it stores once a PIN is set, and reports it."),
        Platform::Android => does("The phone must be encrypted, and reports it."),
    },
    apple: no_keys,
    evidence: Evidence::Report(report::encryption),
    android: Android {
        fields: &["encryptionPolicy"],
        witness: Witness::Report(judge::encryption),
        write: |policy, draft| {
            draft.resource.encryption_policy = policy.encryption.required.then_some(EncryptionPolicy::Required);
        },
    },
    problem: |policy: &Policy| {
        (policy.encryption.required && !policy.passcode.required)
            .then(|| "an iPhone's encryption protects nothing without a PIN; also set passcode.required=true".into())
    },
}];
