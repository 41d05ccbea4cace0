//! A change of the policy before it is made: what it changes, and on how many phones.

use serde::Serialize;

use super::{Base, Change, Difference, Version, change, differences, drafted, in_force, profile, refuse};
use crate::error::{Error, Result};
use crate::model::{CouncilId, Mode, Permission};
use crate::operations::{Context, audit};
use crate::store::{self, Transaction};

/// What a change would do.
#[derive(Clone, Debug, Serialize)]
pub struct Draft {
    /// The version in force, which the change starts from or replaces.
    pub present: i64,
    /// What would be another.
    pub differences: Vec<Difference>,
    /// How many phones of each kind get it.
    pub phones: Vec<(Mode, i64)>,
}

/// What a change would do, and all that is wrong with it; nothing is kept.
///
/// # Errors
/// As [`change`].
pub fn draft(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    base: &Base,
    changes: &[Change],
) -> Result<Draft> {
    context.actor.require(Permission::Settings, council)?;
    let (now, policy) = drafted(tx, council, base, changes)?;
    refuse(profile::problems(tx, context, council, now.version + 1, &policy)?)?;
    Ok(Draft {
        present: now.version,
        differences: differences(&now.policy, &policy),
        phones: store::enrolments::live_by_mode(tx, council)?,
    })
}

/// Makes a change that was looked at while `present` was in force, and only then.
///
/// # Errors
/// As [`change`]; `Conflict` where somebody else changed the policy meanwhile.
pub fn change_from(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    present: i64,
    base: &Base,
    changes: &[Change],
    note: &str,
) -> Result<Version> {
    context.actor.require(Permission::Settings, council)?;
    audit::lock(tx, council)?;
    if in_force(tx, council)?.version != present {
        return Err(Error::conflict(
            "somebody else changed the policy while you looked at this page; nothing was saved: look at it once more",
        ));
    }
    change(tx, context, council, base, changes, note)
}

/// How many phones under management report each setting as not in force.
///
/// # Errors
/// `Forbidden`.
pub fn unmet(tx: &mut Transaction<'_>, context: &Context, council: &CouncilId) -> Result<Vec<(String, i64)>> {
    context.actor.require(Permission::Read, council)?;
    store::setting_states::unmet_by_setting(tx, council)
}
