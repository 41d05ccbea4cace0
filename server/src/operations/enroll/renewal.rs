//! How often an enrolled device may be given another identity: when its own nears its end, and never in any number.

use chrono::Duration;
use zeroize::Zeroizing;

use super::CHALLENGE_STANDS;
use crate::error::Result;
use crate::keys::{random_bytes, sha256_hex};
use crate::model::{ChallengeId, CommandKind, Moment};
use crate::operations::Context;
use crate::store::certificates::Certificate;
use crate::store::enrolments::Enrolment;
use crate::store::scep_challenges::Challenge;
use crate::store::{self, Transaction};

/// A device that renews by itself may do so this long before the end of its identity.
const BEFORE_ITS_END: Duration = Duration::days(60);
/// How many challenges of one enrolment may wait to be used.
const MOST_CHALLENGES: i64 = 5;
/// How many identities a device may be given within [`COUNTED_FOR`] besides the one that it uses.
const MOST_UNUSED: i64 = 5;
/// A device that fails at using them, and is asked weekly, must not be shut out for good.
const COUNTED_FOR: Duration = Duration::days(30);

/// Mints a challenge by which an enrolled device renews its identity; none while several of it still wait to be used.
pub(crate) fn challenge_for_renewal(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
) -> Result<Option<Zeroizing<String>>> {
    let (council, id) = (&enrolment.council_id, &enrolment.id);
    if store::scep_challenges::count_live_of_enrolment(tx, council, id, context.now)? >= MOST_CHALLENGES {
        return Ok(None);
    }
    let challenge = Zeroizing::new(hex::encode(random_bytes::<16>()?));
    store::scep_challenges::insert(
        tx,
        &Challenge {
            council_id: council.clone(),
            id: ChallengeId::new(),
            challenge_hash: sha256_hex(challenge.as_bytes()),
            invitation_id: None,
            enrolment_id: Some(id.clone()),
            created_at: context.now,
            expires_at: context.now + CHALLENGE_STANDS,
            used_at: None,
            public_key_fingerprint: None,
        },
    )?;
    Ok(Some(challenge))
}

/// Whether a device may renew by itself, without having been given a challenge: near the end of its identity, or when it was
/// asked to.
pub(super) fn is_due(
    tx: &mut Transaction<'_>,
    now: Moment,
    enrolment: &Enrolment,
    identity: &Certificate,
) -> Result<bool> {
    if identity.not_after - now <= BEFORE_ITS_END || enrolment.renewal_started_at.is_some() {
        return Ok(true);
    }
    let open = store::commands::open_of_enrolment(tx, &enrolment.council_id, &enrolment.id)?;
    Ok(open.iter().any(|row| row.kind == CommandKind::RenewIdentity))
}

/// Whether a device was lately given so many identities, that it never used, that it gets no more.
pub(super) fn has_too_many(tx: &mut Transaction<'_>, now: Moment, enrolment: &Enrolment) -> Result<bool> {
    let (council, pinned) = (&enrolment.council_id, enrolment.fingerprint.as_str());
    Ok(store::certificates::count_unpinned(tx, council, &enrolment.id, pinned, now - COUNTED_FOR)? >= MOST_UNUSED)
}
