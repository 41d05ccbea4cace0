//! What the tests of enrolment and commands share: invitations, certificates and phones, made without cryptography.

use chrono::Duration;
use diesel::RunQueryDsl as _;

use super::check_in::{self, Arrival, Outcome};
use super::commands::{self, NewCommand, Next, Visit};
use crate::keys::{random_bytes, sha256_hex};
use crate::model::{
    Actor, AssetId, AuthorityId, ChallengeId, CommandId, CommandKind, CouncilId, EnrolmentId, InvitationId, Mode,
    Moment, PersonId, PushCertificateId, PushCertificateState,
};
use crate::store::authorities::AuthorityRow;
use crate::store::certificates::Certificate;
use crate::store::devices::Description;
use crate::store::enrolments::{Caller, Enrolment, Tokens};
use crate::store::push_certificates::PushCertificate;
use crate::store::scep_challenges::Challenge;
use crate::store::{self, AnyConnection};
use crate::testing::Bench;

/// Runs hand-written SQL, for rows whose own operations are tested elsewhere.
pub(crate) fn sql(bench: &Bench, statement: &str) {
    bench
        .database
        .with_own_connection(|connection| {
            match connection {
                AnyConnection::Sqlite(connection) => diesel::sql_query(statement).execute(connection)?,
                AnyConnection::Postgres(connection) => diesel::sql_query(statement).execute(connection)?,
            };
            Ok(())
        })
        .expect("SQL of a test");
}

/// An asset with this serial number, and an accepted invitation for it.
pub(crate) fn invite(bench: &Bench, council: &CouncilId, serial: Option<&str>, mode: Mode) -> (AssetId, InvitationId) {
    let asset = AssetId::new();
    let serial = serial.map_or("NULL".to_owned(), |serial| format!("'{serial}'"));
    sql(
        bench,
        &format!(
            "INSERT INTO assets (council_id, id, tag, kind, make, model, platform, ownership, serial, created_at) VALUES \
             ('{council}', '{asset}', 'T-{asset}', 'phone', 'Apple', 'iPhone', 'apple', 'council', {serial}, \
             '2026-01-01 00:00:00')"
        ),
    );
    let invitation = invite_again(bench, council, &asset, mode);
    (asset, invitation)
}

/// Another accepted invitation for an asset.
pub(crate) fn invite_again(bench: &Bench, council: &CouncilId, asset: &AssetId, mode: Mode) -> InvitationId {
    let (invitation, person) = (InvitationId::new(), PersonId::new());
    sql(
        bench,
        &format!(
            "INSERT INTO people (council_id, id, name, created_at) VALUES ('{council}', '{person}', 'P', '2026-01-01 00:00:00')"
        ),
    );
    sql(
        bench,
        &format!(
            "INSERT INTO invitations (council_id, id, code_hash, asset_id, person_id, mode, ownership, state, created_by, \
             created_at, expires_at) VALUES ('{council}', '{invitation}', 'hash-{invitation}', '{asset}', '{person}', '{mode}', \
             'council', 'accepted', 'test', '2026-01-01 00:00:00', '2100-01-01 00:00:00')"
        ),
    );
    invitation
}

/// A certificate of the council, as if issued for an invitation or, for a renewal, for an enrolment.
pub(crate) async fn certificate(
    bench: &Bench,
    council: &CouncilId,
    invitation: Option<&InvitationId>,
    enrolment: Option<&EnrolmentId>,
    not_after: Moment,
) -> String {
    let fingerprint = sha256_hex(&random_bytes::<16>().expect("random"));
    keep_certificate(bench, council, invitation, enrolment, not_after, &fingerprint).await;
    fingerprint
}

/// The same, of a certificate with this fingerprint.
pub(crate) async fn keep_certificate(
    bench: &Bench,
    council: &CouncilId,
    invitation: Option<&InvitationId>,
    enrolment: Option<&EnrolmentId>,
    not_after: Moment,
    fingerprint: &str,
) {
    let (made, council, invitation, enrolment) =
        (fingerprint.to_owned(), council.clone(), invitation.cloned(), enrolment.cloned());
    let now = bench.clock.now();
    bench
        .database
        .write("certificate", move |tx| {
            let authority = match store::authorities::current(tx, &council)? {
                Some(row) => row.id,
                None => {
                    let row = AuthorityRow {
                        council_id: council.clone(),
                        id: AuthorityId::new(),
                        certificate: vec![1],
                        sealed_key: vec![2],
                        not_before: now,
                        not_after: now + Duration::days(9999),
                        created_at: now,
                    };
                    store::authorities::insert(tx, &row)?;
                    row.id
                }
            };
            let challenge = Challenge {
                council_id: council.clone(),
                id: ChallengeId::new(),
                challenge_hash: format!("challenge of {made}"),
                invitation_id: invitation.clone(),
                enrolment_id: enrolment.clone(),
                created_at: now,
                expires_at: now,
                used_at: Some(now),
                public_key_fingerprint: Some("key".to_owned()),
            };
            store::scep_challenges::insert(tx, &challenge)?;
            store::certificates::insert(
                tx,
                &Certificate {
                    council_id: council.clone(),
                    serial: made.clone(),
                    authority_id: authority,
                    fingerprint: made.clone(),
                    public_key_fingerprint: "key".to_owned(),
                    challenge_id: challenge.id,
                    invitation_id: invitation.clone(),
                    enrolment_id: enrolment.clone(),
                    certificate: vec![3],
                    not_before: now - Duration::hours(1),
                    not_after,
                    issued_at: now,
                    revoked_at: None,
                    revoked_reason: None,
                },
            )
        })
        .await
        .expect("certificate");
}

/// What a phone with this UDID and serial number says first.
pub(crate) fn arrival(udid: &str, serial: Option<&str>) -> Arrival {
    Arrival {
        udid: Some(udid.to_owned()),
        user_enrolment: false,
        topic: None,
        description: Description { serial: serial.map(str::to_owned), ..Description::default() },
    }
}

/// The topic of a council's phones.
pub(crate) fn topic_of(council: &CouncilId) -> String {
    format!("com.apple.mgmt.External.{council}")
}

/// Gives a council a push certificate for its topic, unless it has one.
pub(crate) async fn push_certificate(bench: &Bench, council: &CouncilId) {
    let (council, now, topic) = (council.clone(), bench.clock.now(), topic_of(council));
    bench
        .database
        .write("push certificate", move |tx| {
            if store::push_certificates::serving(tx, &council, &topic)?.is_some() {
                return Ok(());
            }
            let row = PushCertificate {
                council_id: council.clone(),
                id: PushCertificateId::new(),
                state: PushCertificateState::Current,
                apple_account: None,
                topic: Some(topic.clone()),
                certificate_pem: Some("pem".to_owned()),
                sealed_key: vec![4],
                not_before: Some(now),
                not_after: Some(now + Duration::days(9999)),
                created_at: now,
                activated_at: Some(now),
                warned_days: None,
            };
            store::push_certificates::insert(tx, &row)
        })
        .await
        .expect("a push certificate");
}

/// Authenticate; with the council's own topic unless the arrival names one.
pub(crate) async fn authenticate(
    bench: &Bench,
    council: &CouncilId,
    fingerprint: &str,
    mut arrival: Arrival,
) -> Outcome {
    push_certificate(bench, council).await;
    arrival.topic.get_or_insert_with(|| topic_of(council));
    let (context, council, fingerprint) = (bench.context(Actor::System), council.clone(), fingerprint.to_owned());
    bench
        .database
        .write("authenticate", move |tx| check_in::authenticate(tx, &context, &council, &fingerprint, &arrival))
        .await
        .expect("authenticate")
}

/// The council adopts the policy that a preset makes.
pub(crate) async fn adopt_policy(bench: &Bench, council: &CouncilId) {
    let (context, council) = (bench.context(Actor::Local), council.clone());
    bench
        .database
        .write("policy", move |tx| {
            crate::operations::policies::start(tx, &context, &council, beadle_profiles::Preset::Germoe).map(drop)
        })
        .await
        .expect("a policy");
}

/// The live enrolment pinned to a certificate, as stored.
pub(crate) async fn enrolment(bench: &Bench, fingerprint: &str) -> Enrolment {
    let fingerprint = fingerprint.to_owned();
    bench
        .database
        .read("enrolment", move |tx| store::enrolments::find_by_fingerprint(tx, &fingerprint))
        .await
        .expect("reads")
        .expect("is there")
}

/// A phone under management in this mode.
pub(crate) async fn enrolled(bench: &Bench, council: &CouncilId, mode: Mode) -> Enrolment {
    let udid = format!("UDID-{}", EnrolmentId::new());
    let (_, invitation) = invite(bench, council, Some("S1"), mode);
    let not_after = bench.clock.now() + Duration::days(365);
    let fingerprint = certificate(bench, council, Some(&invitation), None, not_after).await;
    assert_eq!(authenticate(bench, council, &fingerprint, arrival(&udid, Some("S1"))).await, Outcome::Done);
    let (made, now) = (enrolment(bench, &fingerprint).await, bench.clock.now());
    bench
        .database
        .write("enrolled", move |tx| {
            let tokens = Tokens {
                topic: None,
                push_token: "aa",
                sealed_push_magic: b"sealed",
                sealed_unlock_token: Some(b"sealed token"),
            };
            store::enrolments::set_tokens(tx, &made, &tokens, now)?;
            store::enrolments::mark_enrolled(tx, &made, now).map(drop)
        })
        .await
        .expect("enrolled");
    enrolment(bench, &fingerprint).await
}

/// A command of this kind.
pub(crate) fn command(kind: CommandKind, priority: i64, key: Option<&'static str>) -> NewCommand {
    NewCommand {
        kind,
        payload: serde_json::json!({ "message": "m" }),
        priority,
        case: None,
        expires_in: Duration::days(7),
        supersede_key: key,
    }
}

/// Queues a command.
pub(crate) async fn queue(bench: &Bench, enrolment: &Enrolment, new: NewCommand) -> CommandId {
    let (context, enrolment) = (bench.context(Actor::System), enrolment.clone());
    bench.database.write("queue", move |tx| commands::queue(tx, &context, &enrolment, &new)).await.expect("queues")
}

/// One message of a visit; answers the id of the command that comes back.
pub(crate) async fn visit(bench: &Bench, enrolment: &Enrolment, visit: Visit) -> Option<CommandId> {
    let (context, enrolment) = (bench.context(Actor::System), enrolment.clone());
    let next = bench
        .database
        .write("visit", move |tx| {
            let enrolment = store::enrolments::find(tx, &enrolment.council_id, &enrolment.id)?.expect("is there");
            commands::settle_and_claim(tx, &context, Caller { enrolment, has_more: true }, &visit)
        })
        .await
        .expect("visit");
    next.map(|next| match next {
        Next::Command { row, .. } => row.id,
        Next::Order(release) => release.command().clone(),
    })
}

/// How many open alerts of a kind the council has.
pub(crate) async fn alerts(bench: &Bench, council: &CouncilId, kind: &'static str) -> usize {
    let council = council.clone();
    bench
        .database
        .read("alerts", move |tx| store::alerts::page(tx, &council, true, None, 100))
        .await
        .expect("reads")
        .iter()
        .filter(|alert| alert.kind == kind)
        .count()
}

/// The message of the open alert of a kind, if there is one.
pub(crate) async fn told(bench: &Bench, council: &CouncilId, kind: &'static str) -> Option<String> {
    let council = council.clone();
    let open = bench.database.read("alerts", move |tx| store::alerts::page(tx, &council, true, None, 100)).await;
    open.expect("reads").into_iter().find(|alert| alert.kind == kind).map(|alert| alert.message)
}

/// A command as stored.
pub(crate) async fn command_row(bench: &Bench, id: &CommandId) -> store::commands::CommandRow {
    let id = id.clone();
    bench.database.read("row", move |tx| store::commands::find_any(tx, &id)).await.expect("reads").expect("is there")
}

/// The open commands of an enrolment, by kind, in the order in which they will be given.
pub(crate) async fn open_kinds(bench: &Bench, enrolment: &Enrolment) -> Vec<CommandKind> {
    let (council, id) = (enrolment.council_id.clone(), enrolment.id.clone());
    let open = bench.database.read("open", move |tx| store::commands::open_of_enrolment(tx, &council, &id)).await;
    open.expect("reads").into_iter().map(|row| row.kind).collect()
}

/// The whole database as text, as a backup has it.
pub(crate) fn everything(bench: &Bench) -> String {
    let mut text = String::new();
    bench
        .database
        .dump(|line| {
            text += &format!("{line:?}\n");
            Ok(())
        })
        .expect("dumps");
    text
}
