//! An enrolled phone in the database, with everything it refers to, for tests of what happens to phones later.

use chrono::Duration;
use diesel::connection::SimpleConnection as _;

use super::Bench;
use crate::model::{
    Actor, AssetId, Confirmation, CouncilId, DeviceId, EnrolmentId, EnrolmentState, InvitationId, Mode, Ownership,
    PersonId, Platform,
};
use crate::sealing::Purpose;
use crate::store;
use crate::store::devices::Device;
use crate::store::enrolments::Enrolment;

/// The push magic of every phone made here.
pub(crate) const MAGIC: &str = "the phone's magic";

/// Puts an enrolled phone into the database; `change` may alter its enrolment first.
pub(crate) async fn enrolled(
    bench: &Bench,
    council: &CouncilId,
    mode: Mode,
    change: impl FnOnce(&mut Enrolment),
) -> Enrolment {
    let now = bench.context(Actor::System).now;
    let (asset, person, invitation, device) = (AssetId::new(), PersonId::new(), InvitationId::new(), DeviceId::new());
    let sql = format!(
        "INSERT INTO people (council_id, id, name, created_at) VALUES ('{council}', '{person}', 'Holder', '2026-01-01 00:00:00');
         INSERT INTO assets (council_id, id, tag, kind, make, model, platform, ownership, created_at)
            VALUES ('{council}', '{asset}', '{asset}', 'phone', 'Apple', 'iPhone', 'apple', 'council', '2026-01-01 00:00:00');
         INSERT INTO invitations (council_id, id, code_hash, asset_id, person_id, mode, ownership, state, created_by,
            created_at, expires_at) VALUES ('{council}', '{invitation}', '{invitation}', '{asset}', '{person}', '{mode}',
            'council', 'used', 'local', '2026-01-01 00:00:00',
            '2027-01-01 00:00:00');"
    );
    bench
        .database
        .with_own_connection(|connection| Ok(connection.batch_execute(&sql)?))
        .expect("the register and the invitation");
    let id = EnrolmentId::new();
    let magic =
        bench.keys.sealer.seal(Purpose::PushMagic, council.as_str(), id.as_str(), MAGIC.as_bytes()).expect("seals");
    let mut enrolment = Enrolment {
        council_id: council.clone(),
        fingerprint: format!("fingerprint of {id}"),
        id,
        device_id: device.clone(),
        generation: 1,
        platform: Platform::Apple,
        mode,
        ownership: Ownership::Council,
        invitation_id: invitation,
        state: EnrolmentState::Enrolled,
        confirmation: Confirmation::NotNeeded,
        mode_disagrees: false,
        topic: Some("com.apple.mgmt.External.test".to_owned()),
        push_token: Some("ab".repeat(32)),
        push_token_at: Some(now - Duration::days(1)),
        sealed_push_magic: Some(magic),
        sealed_unlock_token: None,
        push_retired_at: None,
        authenticated_at: now - Duration::days(1),
        enrolled_at: Some(now - Duration::days(1)),
        last_seen_at: now,
        identity_not_after: Some(now + Duration::days(365)),
        renewal_started_at: None,
        profile_version: None,
        ended_at: None,
        end_reason: None,
        judgement: None,
    };
    change(&mut enrolment);
    let device = Device {
        council_id: council.clone(),
        id: device,
        asset_id: asset,
        platform: Platform::Apple,
        udid: format!("udid of {}", enrolment.id),
        serial: None,
        product: None,
        name: None,
        os_version: None,
        imei: None,
        iccid: None,
        phone_number: None,
        created_at: now,
        retired_at: None,
    };
    let made = enrolment.clone();
    bench
        .database
        .write("an enrolled phone", move |tx| {
            store::devices::insert(tx, &device)?;
            store::enrolments::insert(tx, &made)
        })
        .await
        .expect("a phone");
    enrolment
}

/// The enrolment as it is now.
pub(crate) async fn reloaded(bench: &Bench, enrolment: &Enrolment) -> Enrolment {
    let (council, id) = (enrolment.council_id.clone(), enrolment.id.clone());
    bench
        .database
        .read("reload", move |tx| store::enrolments::find(tx, &council, &id))
        .await
        .expect("reads")
        .expect("there")
}
