//! The code that opens Activation Lock: kept once given, never lost to an answer without one.

use super::*;
use crate::model::DeviceId;
use crate::operations::apple_test_bench::{arrival, authenticate, certificate, enrolment, invite_again, told};
use crate::operations::check_in::Outcome;

async fn kept(bench: &Bench, device: &DeviceId) -> Option<Vec<u8>> {
    let device = device.clone();
    bench
        .database
        .read("code", move |tx| {
            let device = store::devices::find(tx, &device)?.expect("is there");
            store::devices::bypass_code(tx, &device)
        })
        .await
        .expect("reads")
        .map(|(sealed, _)| sealed)
}

async fn answered(bench: &Bench, phone: &Enrolment, status: AnswerStatus, sealed: Option<&[u8]>) -> CommandId {
    let (context, of) = (bench.context(Actor::System), phone.clone());
    bench.database.write("ask", move |tx| ask_for_bypass_code(tx, &context, &of)).await.expect("asks");
    let id = visit(bench, phone, Visit::Begins).await.expect("is asked");
    let bypass_code = sealed.map(|sealed| SealedCode { device: phone.device_id.clone(), sealed: sealed.to_vec() });
    let answer = Answer { command: Some(id.clone()), status, report: json!({}), bypass_code };
    visit(bench, phone, Visit::Answers(answer)).await;
    id
}

#[tokio::test]
async fn what_was_given_outlives_empty_answers_errors_and_re_enrolment() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let phone = enrolled(&bench, &council, Mode::Supervised).await;
        let failed = || AnswerStatus::Failed { codes: vec![12026], text: "not available".to_owned() };
        let id = answered(&bench, &phone, failed(), None).await;
        assert_eq!(row(&bench, &id).await.state, CommandState::Failed);
        let message = told(&bench, &council, "bypass_code_missing").await.expect("told");
        assert!(message.contains("15 days") && message.contains("not available"), "{message}");
        let id = answered(&bench, &phone, AnswerStatus::Acknowledged, Some(b"sealed one")).await;
        assert_eq!(row(&bench, &id).await.answer, None, "nothing of the answer is kept with the command");
        assert_eq!(kept(&bench, &phone.device_id).await.as_deref(), Some(&b"sealed one"[..]));
        assert_eq!(alerts(&bench, &council, "bypass_code_missing").await, 0);

        let empty = answered(&bench, &phone, AnswerStatus::Acknowledged, None).await;
        assert!(row(&bench, &empty).await.problem.expect("said").contains("no code"));
        let message = told(&bench, &council, "bypass_code_missing").await.expect("told");
        assert!(message.contains("is kept"), "{message}");
        answered(&bench, &phone, failed(), None).await;
        assert_eq!(kept(&bench, &phone.device_id).await.as_deref(), Some(&b"sealed one"[..]));

        let device = phone.device_id.clone();
        let device = bench.database.read("device", move |tx| store::devices::find(tx, &device)).await.expect("reads");
        let device = device.expect("is there");
        let again = invite_again(&bench, &council, &device.asset_id, Mode::Supervised);
        let later = bench.clock.now() + Duration::days(365);
        let new = certificate(&bench, &council, Some(&again), None, later).await;
        assert_eq!(authenticate(&bench, &council, &new, arrival(&device.udid, Some("S1"))).await, Outcome::Done);
        let second = enrolment(&bench, &new).await;
        assert_eq!((second.generation, kept(&bench, &second.device_id).await), (2, Some(b"sealed one".to_vec())));
        answered(&bench, &second, AnswerStatus::Acknowledged, Some(b"sealed two")).await;
        assert_eq!(kept(&bench, &phone.device_id).await.as_deref(), Some(&b"sealed two"[..]), "a newer code counts");
    })
    .await;
}

#[tokio::test]
async fn a_code_sealed_for_another_device_is_not_taken() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let (phone, other) =
            (enrolled(&bench, &council, Mode::Supervised).await, enrolled(&bench, &council, Mode::Supervised).await);
        let id = ask(&bench, &phone, command(CommandKind::ActivationLockBypassCode, 0, None)).await;
        visit(&bench, &phone, Visit::Begins).await;
        let answer = Answer {
            command: Some(id),
            status: AnswerStatus::Acknowledged,
            report: json!({}),
            bypass_code: Some(SealedCode { device: other.device_id.clone(), sealed: vec![1] }),
        };
        let context = bench.context(Actor::System);
        let caller = Caller { enrolment: phone.clone(), has_more: true };
        let settled = bench
            .database
            .write("visit", move |tx| {
                settle_and_claim(tx, &context, caller.clone(), &Visit::Answers(answer.clone())).map(drop)
            })
            .await;
        assert!(matches!(settled, Err(Error::Unavailable(_))), "{settled:?}");
        assert_eq!((kept(&bench, &phone.device_id).await, kept(&bench, &other.device_id).await), (None, None));
    })
    .await;
}
