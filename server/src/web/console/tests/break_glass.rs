//! The envelope: printed once, opened once, and everyone sees who opened it.

use chrono::Duration;

use super::desk::{Desk, NASTY, with_token};
use crate::testing::on_both;

const HERE: &str = "/console/break-glass";
const ENVELOPE: &str = "/console/councils/germoe/break-glass";

#[actix_web::test]
async fn the_code_from_the_envelope_makes_one_clerk_who_needs_a_second_factor_first() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        desk.clerk.get(ENVELOPE).await.is(200).has("There is no code");
        let token = desk.clerk.token(ENVELOPE);
        let form = with_token(&[], &token);
        let printed = desk.clerk.post(ENVELOPE, &form, "same-origin").await.is(200).has("shown only once").text;
        let code = printed.split("class=\"secret\">").nth(1).and_then(|rest| rest.split('<').next()).expect("a code");
        let again = desk.clerk.post(ENVELOPE, &form, "same-origin").await.is(200);
        again.has("Make a new code").lacks(code);
        assert_eq!(desk.recorded("break_glass.code_made").await, 1);
        let mut councillor = desk.nobody();
        councillor.get("/console/sign-in?with=recovery").await.is(200).has("use the break-glass code");
        councillor.get(HERE).await.is(200).has("Everyone who can sign in sees");
        let right = [
            ("code", code),
            ("name", NASTY),
            ("login", "deputy"),
            ("new_password", "tin mine tide"),
            ("again", "tin mine tide"),
        ];
        for (field, value, problem) in [
            ("code", "7K2M-X4QP-9TRW-3HCV", "This is not the code"),
            ("again", "another", "are not the same"),
            ("login", "x", "The sign-in name "),
        ] {
            let fields = right.map(|(name, right)| (name, if name == field { value } else { right }));
            councillor.send(HERE, &fields).await.is(422).has(problem).lacks("tin mine tide");
            desk.bench.clock.advance(Duration::hours(1));
        }
        assert_eq!(desk.recorded("break_glass.used").await, 0);
        // Somebody guesses behind the same address until he has to wait: the right code does not.
        for _ in 0..30 {
            let wrong = right.map(|(name, right)| (name, if name == "code" { "7K2M-X4QP-9TRW-3HCV" } else { right }));
            assert!(councillor.send(HERE, &wrong).await.status >= 400);
        }
        councillor.send(HERE, &right).await.is(303);
        assert_eq!(desk.recorded("break_glass.used").await, 1);
        let next = councillor.get("/console/councils/germoe").await.leads_to();
        assert_eq!(next, "/console/account/second-factor", "nothing is shown before there is a second factor");
        let mut another = desk.nobody();
        another.get(HERE).await.is(200);
        another.send(HERE, &right).await.is(422).has("was used or replaced");
    })
    .await;
}
