//! Whom a refused command is told, and when that is over.

use super::*;
use crate::operations::apple_test_bench::{adopt_policy, told};

#[tokio::test]
async fn a_phones_refusal_is_told_until_it_complies() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        adopt_policy(&bench, &council).await;
        let phone = enrolled(&bench, &council, Mode::Supervised).await;
        for (kind, alert) in [
            (CommandKind::DeviceLock, "lock_failed"),
            (CommandKind::EnableLostMode, "lock_failed"),
            (CommandKind::InstallProfile, "profile_refused"),
            (CommandKind::RenewIdentity, "renewal_failed"),
            (CommandKind::ClearPasscode, "clear_passcode_failed"),
            (CommandKind::ActivationLockBypassCode, "bypass_code_missing"),
        ] {
            assert_eq!(alerts(&bench, &council, alert).await, 0, "{kind}");
            let id = ask(&bench, &phone, command(kind, 0, None)).await;
            assert_eq!(visit(&bench, &phone, Visit::Begins).await.as_ref(), Some(&id), "{kind}");
            visit(&bench, &phone, refused(&id, 4001)).await;
            assert_eq!(row(&bench, &id).await.state, CommandState::Failed, "{kind}");
            let message = told(&bench, &council, alert).await.unwrap_or_default();
            assert!(message.contains("no (4001)"), "{kind}: {message}");
            let again = ask(&bench, &phone, command(kind, 0, None)).await;
            assert_eq!(visit(&bench, &phone, Visit::Begins).await.as_ref(), Some(&again), "{kind}");
            let mut complied = Answer {
                command: Some(again.clone()),
                status: AnswerStatus::Acknowledged,
                report: json!({}),
                bypass_code: None,
            };
            if kind == CommandKind::ActivationLockBypassCode {
                complied.bypass_code = Some(SealedCode { device: phone.device_id.clone(), sealed: vec![1] });
            }
            visit(&bench, &phone, Visit::Answers(complied)).await;
            assert_eq!(alerts(&bench, &council, alert).await, 0, "{kind}: it complied");
            let (context, phone) = (bench.context(Actor::System), phone.clone());
            bench
                .database
                .write("end", move |tx| cancel_all(tx, &context, &phone, "for the test").map(drop))
                .await
                .expect("ends");
        }
    })
    .await;
}

#[tokio::test]
async fn a_command_that_cannot_be_made_is_told_and_the_next_one_takes_its_place() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let phone = enrolled(&bench, &council, Mode::Supervised).await;
        let broken = ask(&bench, &phone, command(PLAIN, 0, None)).await;
        let next = ask(&bench, &phone, command(PLAIN, 50, None)).await;
        assert_eq!(visit(&bench, &phone, Visit::Begins).await.as_ref(), Some(&broken));
        let (context, of, id) = (bench.context(Actor::System), phone.clone(), broken.clone());
        let given = bench
            .database
            .write("not made", move |tx| cannot_send(tx, &context, &of, &id, "its secret cannot be opened"))
            .await
            .expect("noted");
        assert!(matches!(given, Some(Next::Command { row, .. }) if row.id == next));
        assert_eq!(row(&bench, &broken).await.state, CommandState::Failed);
        let message = told(&bench, &council, "command_not_made").await.expect("told");
        assert!(message.contains("its secret cannot be opened"), "{message}");
    })
    .await;
}
