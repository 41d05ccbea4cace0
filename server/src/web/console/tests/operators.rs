//! The pages about operators: who is there, what becomes of an account, and who may decide about it.

use super::desk::{Browser, Desk, NASTY, with_token};
use crate::testing::on_both;

const HOME: &str = "/console/councils/germoe";

/// Adds somebody; the page with the initial password gives the address.
async fn add(browser: &mut Browser, login: &str, role: &str) -> (String, String) {
    let fields = [("name", "Dilys Deputy"), ("login", login), ("role", role)];
    let page = browser.send(&format!("{HOME}/operators/new"), &fields).await.is(200).has("shown only now");
    let place = page.text.split("href=\"").find(|part| part.starts_with("/console/operators/")).expect("an address");
    let words = page.text.split("id=\"initial-password\">").nth(1).and_then(|rest| rest.split('<').next());
    (place.split('"').next().expect("an address").to_owned(), words.expect("words").to_owned())
}

/// The address of the operator with this name.
async fn place(desk: &mut Desk, name: &str) -> String {
    let list = desk.clerk.get(&format!("{HOME}/operators")).await.is(200);
    let part = list.text.split("<li>").find(|part| part.contains(&format!("as <bdi>{name}"))).expect("in the list");
    let place = part.split("href=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("an address");
    place.to_owned()
}

#[actix_web::test]
async fn an_account_is_added_changed_reset_and_ended() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let new = format!("{HOME}/operators/new");
        desk.clerk.get(&new).await.is(200).has("a password of three words");
        let fields = [("name", "D"), ("login", "dilys"), ("role", "provider")];
        desk.clerk.send(&new, &fields).await.is(422).has("Choose a role");
        let fields = [("name", "D"), ("login", "x"), ("role", "clerk")];
        let wrong = desk.clerk.send(&new, &fields).await.is(422).has("Sign-in name must have 3 to 64");
        wrong.has("value=\"x\"");
        let fields = [("name", "D"), ("login", "clerk"), ("role", "clerk")];
        desk.clerk.send(&new, &fields).await.is(422).has("has this login already");

        // A second click shows the same words again, and makes no second account.
        let token = desk.clerk.token(&new);
        let fields = [("name", "Dilys Deputy"), ("login", "dilys"), ("role", "auditor")];
        let mut shown = Vec::new();
        for _ in 0..2 {
            let page = desk.clerk.post(&new, &with_token(&fields, &token), "same-origin").await.is(200);
            let words = page.text.split("id=\"initial-password\">").nth(1).and_then(|rest| rest.split('<').next());
            shown.push(words.expect("words").to_owned());
        }
        assert_eq!(shown[0], shown[1]);
        assert_eq!(shown[0].split('-').count(), 3);
        assert_eq!(desk.recorded("operator.added").await, 4, "three at the desk, and one");
        let operator = place(&mut desk, "dilys").await;
        desk.clerk.get(&operator).await.is(200).has("Auditor").has("an auditor only reads").lacks(&shown[0]);

        let role = format!("{operator}/role");
        desk.clerk.get(&role).await.is(200).has("waits 72 hours");
        desk.clerk.send(&role, &[("role", "king")]).await.is(422).has("Choose a role");
        desk.clerk.send(&role, &[("role", "provider")]).await.is(422).has("belongs to no council");
        desk.clerk.send(&role, &[("role", "clerk")]).await.is(303);
        let changed = [("name", "Dilys Digory"), ("login", "dilys2"), ("mail", "dilys@example.uk")];
        desk.clerk.send(&format!("{operator}/change"), &changed).await.is(303);
        let shown = desk.clerk.get(&operator).await.is(200).has("Dilys Digory").has("dilys2").has("dilys@example.uk");
        shown.has("Clerk").has("approves only where the council named");

        let naming = format!("{HOME}/approvers/{}", operator.rsplit('/').next().expect("an id"));
        desk.clerk.get(&naming).await.is(200).has("Nobody ever approves what they asked for themselves");
        desk.clerk.send(&naming, &[("approves", "yes")]).await.is(303);
        desk.clerk.get(&format!("{HOME}/operators")).await.is(200).has("Named as approver, too");
        desk.clerk.send(&naming, &[("approves", "no")]).await.is(303);
        desk.clerk.get(&format!("{HOME}/operators")).await.is(200).lacks("Named as approver, too");
        desk.clerk.send(&naming, &[("approves", "perhaps")]).await.is(422).has("Choose one");
        assert_eq!((desk.recorded("approver.named").await, desk.recorded("approver.unnamed").await), (1, 1));

        let reset = format!("{operator}/reset");
        desk.clerk.get(&reset).await.is(200).has("Speak to them first");
        desk.clerk.send(&reset, &[]).await.is(422).has("Choose one");
        desk.clerk.send(&reset, &[("second_factor", "take")]).await.is(200).has("shown only now").has("dilys2");
        assert_eq!(desk.recorded("operator.reset").await, 1);

        let end = format!("{operator}/end");
        desk.clerk.get(&end).await.is(200).has("cannot be opened again");
        assert_eq!(desk.clerk.send(&end, &[]).await.leads_to(), operator);
        let shown = desk.clerk.get(&operator).await.is(200).has("This account was ended");
        shown.lacks("Change the role").lacks("End this account");
        desk.clerk.send(&reset, &[("second_factor", "keep")]).await.is(422).has("was ended");
    })
    .await;
}

#[actix_web::test]
async fn a_provider_is_named_by_his_sign_in_name_and_only_by_the_council_itself() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let page = format!("{HOME}/approvers");
        desk.clerk.get(&format!("{HOME}/operators")).await.is(200).has("Name a provider as approver");
        desk.provider.get(&format!("{HOME}/operators")).await.is(200).lacks("Name a provider as approver");
        desk.clerk.get(&page).await.is(200).has("sign-in name");
        for wrong in ["chair", "nobody", NASTY] {
            desk.clerk.send(&page, &[("login", wrong)]).await.is(422).has("No provider signs in with this name");
        }
        desk.provider.send(&page, &[("login", "provider")]).await.is(422).has("nly an operator of the council");
        desk.clerk.send(&page, &[("login", " Provider ")]).await.is(303);
        assert_eq!(desk.recorded("approver.named").await, 1);
        desk.clerk.get(&format!("{HOME}/operators")).await.is(200).has("Providers whom the council named");
    })
    .await;
}

#[actix_web::test]
async fn the_last_one_who_can_act_stays_and_an_ended_one_is_out_at_once() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let (own, chair) = (place(&mut desk, "clerk").await, place(&mut desk, "chair").await);
        desk.clerk.get(&own).await.is(200).lacks("Change the role").lacks("give them a new password");
        desk.clerk.send(&format!("{own}/role"), &[("role", "auditor")]).await.is(422).has("Someone else must change");
        desk.clerk
            .send(&format!("{own}/reset"), &[("second_factor", "keep")])
            .await
            .is(422)
            .has("Change your own password");
        desk.chair.get(HOME).await.is(200);
        desk.clerk.send(&format!("{chair}/end"), &[]).await.is(303);
        // The chair's session ended with the account.
        assert!(desk.chair.get(HOME).await.leads_to().starts_with("/console/sign-in"));
        desk.clerk.get(&format!("{own}/end")).await.is(200).has("This is your own account");
        desk.clerk.send(&format!("{own}/end"), &[]).await.is(422).has("This is the last operator who can act");
        desk.provider.send(&format!("{own}/end"), &[]).await.is(422).has("This is the last operator who can act");
        desk.clerk.get(HOME).await.is(200);
    })
    .await;
}

#[actix_web::test]
async fn providers_are_the_providers_concern() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let list = "/console/operators";
        assert_eq!(desk.clerk.get(list).await.leads_to(), format!("{HOME}/operators"));
        let shown = desk.provider.get(list).await.is(200).has("Providers").has("Add a provider").has("provider");
        let own =
            shown.text.split("href=\"").find(|part| part.starts_with("/console/operators/0")).expect("a provider");
        let own = own.split('"').next().expect("an address").to_owned();
        desk.provider.get(&own).await.is(200).lacks("Change the role");
        for form in ["", "/change", "/role", "/reset", "/end"] {
            desk.clerk.get(&format!("{own}{form}")).await.is(404);
        }
        desk.clerk.get("/console/operators/new").await.is(403);
        let fields = [("name", "Second"), ("login", "second")];
        let refused = desk.clerk.send("/console/operators/new", &fields).await;
        refused.is(403).has("Only the provider may do this");
        desk.provider.get("/console/operators/new").await.is(200).has("sees every council");
        desk.provider.send("/console/operators/new", &fields).await.is(200).has("shown only now");
        desk.provider.get(list).await.is(200).has("second");
        desk.provider.get(&format!("{HOME}/operators")).await.is(200).has("clerk").lacks("second");
    })
    .await;
}

#[actix_web::test]
async fn the_forms_about_operators_are_for_the_clerk_of_the_council_alone() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let (operator, _) = add(&mut desk.clerk, "dilys", "clerk").await;
        let id = operator.rsplit('/').next().expect("an id").to_owned();
        let forms = vec![
            (format!("{HOME}/operators/new"), vec![("name", "N"), ("login", "nnn"), ("role", "clerk")]),
            (format!("{operator}/change"), vec![("name", "N"), ("login", "nnn"), ("mail", "n@n.uk")]),
            (format!("{operator}/role"), vec![("role", "auditor")]),
            (format!("{operator}/reset"), vec![("second_factor", "keep")]),
            (format!("{operator}/end"), vec![]),
            (format!("{HOME}/approvers/{id}"), vec![("approves", "yes")]),
        ];
        for (action, fields) in &forms {
            desk.stranger.get(action).await.is(404).lacks("Dilys");
            desk.stranger.send(action, fields).await.is(404).lacks("Dilys");
            desk.nobody().get(action).await.is(303);
            desk.auditor.get(action).await.is(403).has("role does not allow this");
            desk.auditor.send(action, fields).await.is(403).has("role does not allow this");
            if !action.contains("/approvers/") {
                desk.chair.send(action, fields).await.is(403).has("role does not allow this");
            }
            desk.clerk.post(action, fields, "same-origin").await.is(403).has("can no longer be used");
            let own = desk.clerk.token(action);
            desk.clerk.post(action, &with_token(fields, &own), "cross-site").await.is(403);
            for with in ["x".repeat(10_000).as_str(), NASTY, "\0\u{1}\u{7f}"] {
                for (name, _) in fields {
                    let stuffed: Vec<(&str, &str)> = fields
                        .iter()
                        .map(|(other, value)| (*other, if other == name { with } else { value }))
                        .collect();
                    let answer = desk.clerk.send(action, &stuffed).await;
                    assert!([200, 303, 422].contains(&answer.status), "{action} {name}: {}", answer.text);
                    answer.lacks("<script>alert");
                }
            }
        }
        // Another council's operator is none of ours, also where our own council is named.
        let foreign = format!("{HOME}/approvers/x");
        desk.clerk.get(&foreign).await.is(404);
        let named = format!("/console/councils/coreley/approvers/{id}");
        desk.stranger.send(&named, &[("approves", "yes")]).await.is(404);
        for kind in ["operator.ended", "operator.reset", "approver.named"] {
            assert_eq!(desk.recorded(kind).await, 0, "{kind}");
        }
        desk.clerk.get(&operator).await.is(200).lacks("<script>alert");
        desk.clerk.get(&format!("{HOME}/operators")).await.is(200).lacks("<script>alert");
    })
    .await;
}
