//! The camera: photographs need permission, which is a rule for people; the switch is for councils that want more.

use serde::{Deserialize, Serialize};

use super::Document::{Coreley, Germoe};
use crate::android::report::Witness;
use crate::android::resource::CameraAccess;
use crate::apple::keys::{Reach::CouncilDevices, restriction};
use crate::coverage::Status::{Enforced as E, NotPossible as N};
use crate::mode::Mode;
use crate::setting::{Android, Evidence, Says, Setting, does, no_problem};

/// Camera.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Camera {
    /// Whether the camera works (Germoe 2.1.7 and 2.1.9, Coreley 2.1.6 and 2.1.8).
    pub allowed: bool,
}

impl Default for Camera {
    fn default() -> Self {
        Self { allowed: true }
    }
}

pub(crate) const SETTINGS: &[Setting] = &[Setting {
    name: "camera.allowed",
    title: "Camera",
    clauses: &[(Germoe, "2.1.7"), (Germoe, "2.1.9"), (Coreley, "2.1.6"), (Coreley, "2.1.8")],
    modes: [E, E, N, E, E, E],
    says: |policy| {
        if policy.camera.allowed {
            Says::Allowed(
                "The camera may be used; photographs and recordings need permission, which is a rule for people".into(),
            )
        } else {
            Says::Asked("The camera is switched off".into())
        }
    },
    effect: |_, mode| match mode {
        Mode::Supervised | Mode::Device => does("The camera is off and its icon is gone."),
        Mode::User => does("Nothing.").but("a personal iPhone's camera cannot be switched off by the council"),
        Mode::FullyManaged => does("The camera is off."),
        Mode::CompanyWorkProfile | Mode::PersonalWorkProfile => {
            does("Work apps cannot use the camera.").but("the personal side keeps its camera")
        }
    },
    apple: |policy| {
        (!policy.camera.allowed).then(|| restriction("allowCamera", false, CouncilDevices)).into_iter().collect()
    },
    evidence: Evidence::Profile,
    android: Android {
        fields: &["cameraAccess"],
        witness: Witness::Applied,
        write: |policy, draft| {
            draft.resource.camera_access =
                Some(if policy.camera.allowed { CameraAccess::UserChoice } else { CameraAccess::Disabled });
        },
    },
    problem: no_problem,
}];
