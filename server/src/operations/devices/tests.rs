//! What a person may do to a device, and what he is told.

use super::*;
use crate::model::{Actor, CommandState, Mode};
use crate::operations::apple_test_bench::{command_row, enrolled, sql, visit};
use crate::operations::commands::Visit;
use crate::operations::losses::{self, NewLoss};
use crate::testing::{Bench, on_both};

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
        let again = lock_now(&bench, &phone.device_id).await;
        let row = command_row(&bench, &again.command).await;
        assert_eq!((row.kind, &row.case_id), (CommandKind::EnableLostMode, &Some(case.case.id.clone())));
        assert!(row.payload.contains("Ring the clerk") && row.payload.contains("01736 000000"), "{}", row.payload);
        assert!(again.warnings.is_empty(), "{:?}", again.warnings);
        assert_eq!(command_row(&bench, &case.lock.expect("sent")).await.state, CommandState::Superseded);

        assert_eq!(visit(&bench, &phone, Visit::Begins).await.as_ref(), Some(&again.command));
        let (context, id) = (bench.context(Actor::System), case.case.id);
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
