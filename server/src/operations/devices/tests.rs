//! What a person may do to a device, and what he is told.

use chrono::Duration;

use super::*;
use crate::model::{Actor, CommandState, Mode, OperatorId, Role, SessionId, SignedIn};
use crate::operations::apple_test_bench::{command_row, enrolled, sql, visit};
use crate::operations::cases::CaseAnswer;
use crate::operations::commands::Visit;
use crate::operations::losses::{self, NewLoss};
use crate::testing::{Bench, on_both};

fn clerk(bench: &Bench, council: &CouncilId, minutes_ago: Option<i64>) -> Actor {
    Actor::Operator(SignedIn {
        operator: OperatorId::new(),
        session: SessionId::new(),
        name: "the clerk".to_owned(),
        role: Role::Clerk,
        council: Some(council.clone()),
        mfa: true,
        reauthenticated_at: minutes_ago.map(|minutes| bench.clock.now() - Duration::minutes(minutes)),
        must_change_password: false,
    })
}

async fn lock_now(bench: &Bench, device: &DeviceId) -> Locked {
    let (context, device) = (bench.context(Actor::System), device.clone());
    bench.database.write("lock", move |tx| lock_plainly(tx, &context, &device, "", "")).await.expect("locks")
}

async fn lose(bench: &Bench, phone: &Enrolment) -> losses::Reported {
    let (context, device) = (bench.context(Actor::System), phone.device_id.clone());
    bench
        .database
        .write("loss", move |tx| {
            let device = store::devices::find(tx, &device)?.expect("is there");
            let new = NewLoss {
                asset: device.asset_id,
                reporter: "P".to_owned(),
                happened_at: None,
                place: String::new(),
                circumstances: String::new(),
                aware_at: None,
                contact_message: "Ring the clerk".to_owned(),
                contact_number: "01736 000000".to_owned(),
                police_reference: String::new(),
            };
            losses::report(tx, &context, &new)
        })
        .await
        .expect("reported")
}

#[tokio::test]
async fn a_plain_lock_is_no_lost_mode_unless_a_loss_is_open_which_then_ends_it() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let phone = enrolled(&bench, &council, Mode::Supervised).await;
        let locked = lock_now(&bench, &phone.device_id).await;
        assert_eq!(
            command_row(&bench, &locked.command).await.kind,
            CommandKind::DeviceLock,
            "nothing would end Lost Mode"
        );
        assert!(locked.warnings.iter().any(|words| words.contains("report the loss")), "{:?}", locked.warnings);

        let case = lose(&bench, &phone).await;
        let CaseAnswer::Case(view) = &case.case else { panic!("it may read") };
        let id = view.id.clone();
        let again = lock_now(&bench, &phone.device_id).await;
        let row = command_row(&bench, &again.command).await;
        assert_eq!((row.kind, &row.case_id), (CommandKind::EnableLostMode, &Some(id.clone())));
        assert!(row.payload.contains("Ring the clerk") && row.payload.contains("01736 000000"), "{}", row.payload);
        assert!(again.warnings.is_empty(), "{:?}", again.warnings);
        assert_eq!(command_row(&bench, &case.lock.expect("sent")).await.state, CommandState::Superseded);

        assert_eq!(visit(&bench, &phone, Visit::Begins).await.as_ref(), Some(&again.command));
        let context = bench.context(Actor::System);
        bench.database.write("found", move |tx| losses::found(tx, &context, &id).map(drop)).await.expect("found");
        let end = visit(&bench, &phone, Visit::Begins).await.expect("the end of Lost Mode");
        assert_eq!(command_row(&bench, &end).await.kind, CommandKind::DisableLostMode);
    })
    .await;
}

#[tokio::test]
async fn a_lock_says_what_stands_in_its_way() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let phone = enrolled(&bench, &council, Mode::Device).await;
        let words = |locked: &Locked| locked.warnings.join(" ");
        assert!(!words(&lock_now(&bench, &phone.device_id).await).contains("push certificate"));
        sql(&bench, "UPDATE push_certificates SET not_after = '2020-01-01 00:00:00'");
        assert!(words(&lock_now(&bench, &phone.device_id).await).contains("expired on 01 January 2020"));
        sql(&bench, "DELETE FROM push_certificates");
        assert!(words(&lock_now(&bench, &phone.device_id).await).contains("no push certificate"));
    })
    .await;
}

#[tokio::test]
async fn the_bypass_code_is_shown_to_a_person_who_confirmed_just_now_and_on_record() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let phone = enrolled(&bench, &council, Mode::Supervised).await;
        let show = async |actor: Actor| {
            let (context, device) = (bench.context(actor), phone.device_id.clone());
            bench.database.write("code", move |tx| show_bypass_code(tx, &context, &device)).await
        };
        let fresh = || clerk(&bench, &council, Some(1));
        assert!(matches!(show(fresh()).await, Err(Error::Conflict(_))), "there is none");
        let (of, now) = (phone.clone(), bench.clock.now());
        bench
            .database
            .write("code", move |tx| store::devices::keep_bypass_code(tx, &of.council_id, &of.device_id, b"x", now))
            .await
            .expect("kept");
        let stranger = clerk(&bench, &bench.council("coreley").await, Some(1));
        assert!(matches!(show(stranger).await, Err(Error::NotFound(_))));
        for refused in [clerk(&bench, &council, None), clerk(&bench, &council, Some(6)), Actor::Local] {
            assert!(matches!(show(refused).await, Err(Error::Forbidden(_))));
        }
        let found = show(fresh()).await.expect("shown");
        assert_eq!((found.sealed.as_slice(), &found.device), (&b"x"[..], &phone.device_id));
        let of = phone.clone();
        let trail = bench
            .database
            .read("trail", move |tx| store::audit::of_subject(tx, of.council_id.as_str(), of.device_id.as_str(), 50))
            .await
            .expect("reads");
        assert_eq!(trail.iter().filter(|(row, _)| row.kind == "bypass code shown").count(), 1);
    })
    .await;
}
