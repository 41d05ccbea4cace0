//! The holder's card: its code reports one phone lost and shows what was done with it, and nothing else.

use chrono::Duration;

use super::desk::{Browser, Desk, NASTY, with_token};
use super::passkeys::alerts;
use crate::model::{Actor, AssetId, CaseId, Mode, Permission};
use crate::operations::{losses, people};
use crate::store;
use crate::testing::on_both;

fn card(asset: &AssetId) -> String {
    format!("/console/assets/{asset}/card")
}

async fn custody(desk: &Desk, asset: &AssetId) -> String {
    let (council, asset) = (desk.council.clone(), asset.clone());
    let held = desk
        .bench
        .database
        .read("custody", move |tx| store::custody::current_of_assets(tx, &council, vec![asset.clone()]))
        .await;
    held.expect("reads").first().expect("held").id.clone()
}

/// Makes a card; its code.
async fn code(desk: &mut Desk, asset: &AssetId) -> String {
    let custody = custody(desk, asset).await;
    let page = desk.clerk.send(&card(asset), &[("custody", custody.as_str())]).await.is(200);
    let (_, rest) = page.text.split_once("class=\"secret\">").expect("a code");
    let code = rest.split('<').next().expect("a code").to_owned();
    assert_eq!((code.len(), code.split('-').count()), (19, 4), "{code}");
    code
}

async fn holder(desk: &Desk) -> Browser {
    let mut holder = desk.nobody();
    holder.get("/lost").await.is(200).has("Code on your card");
    holder
}

#[actix_web::test]
async fn a_holder_locks_his_own_phone_at_two_in_the_morning() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let phone = desk.phone.clone();
        let code = code(&mut desk, &phone.asset).await;
        let mut holder = holder(&desk).await;
        let typed = code.to_lowercase().replace('-', " ");
        holder.send("/lost", &[("code", typed.as_str())]).await.is(200).has("GPC-001").lacks("Mary-Ann").lacks("07700");
        let token = holder.token("/lost/report");
        let fields = [("code", code.as_str())];
        let sent = with_token(&fields, &token);
        holder.post("/lost/report", &sent, "same-origin").await.is(200).has("The lock was ordered");
        assert_eq!(desk.recorded("loss.reported").await, 1);
        assert_eq!(desk.recorded("device locked").await, 1);
        desk.clerk.get("/console/councils/germoe").await.is(200).has("GPC-001 is lost");
        assert_eq!(alerts(&desk, "loss_reported").await, 1);

        // The page sent again does nothing, also after the phone was found; a new report loses it again.
        holder.post("/lost/report", &sent, "same-origin").await.is(200).has("The lock was ordered");
        assert_eq!(desk.recorded("loss.reported_again").await, 0);
        assert_eq!(desk.recorded("device locked").await, 1);
        holder.send("/lost/report", &fields).await.is(200);
        assert_eq!(desk.recorded("loss.reported_again").await, 1);
        assert_eq!(desk.recorded("loss.reported").await, 1);

        // What it shows, and what it does not.
        let page =
            holder.send("/lost/phone", &fields).await.is(200).has("What the council can see").has("loss reported");
        page.has("Lost Mode").lacks("Mary-Ann");
        assert_eq!(holder.session, None);
        assert!(holder.get("/console").await.leads_to().starts_with("/console/sign-in"));
        assert_eq!(desk.recorded("order.requested").await, 0);
    })
    .await;
}

#[actix_web::test]
async fn a_wrong_code_says_nothing_and_soon_has_to_wait() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let phone = desk.phone.clone();
        let right = code(&mut desk, &phone.asset).await;
        let mut holder = holder(&desk).await;
        let wrong = "This is not the code of a phone in use";
        for guess in ["", "7K2M-X4QP-9TRW-3HCV", "GPC-001", NASTY, &"7".repeat(10_000), &right[..18]].into_iter() {
            for action in ["/lost", "/lost/report", "/lost/phone"] {
                let sent = holder.send(action, &[("code", guess)]).await.is(422).has(wrong);
                sent.lacks("GPC-001 ").lacks("Mary-Ann").lacks("<script>alert");
            }
        }
        // Eighteen so far; two more, and whoever guesses at this address waits. A right code never does: a report is not held up
        // by what others behind the same address tried.
        for _ in 0..2 {
            holder.send("/lost", &[("code", "x")]).await.is(422).has(wrong);
        }
        holder.send("/lost", &[("code", "y")]).await.is(422).has("Too many tries");
        holder.send("/lost", &[("code", right.as_str())]).await.is(200).has("GPC-001");
        assert_eq!(desk.recorded("loss.reported").await, 0);
        desk.bench.clock.advance(Duration::minutes(2));
        holder.send("/lost", &[("code", right.as_str())]).await.is(200).has("GPC-001");

        // One code, guessed at again and again, waits by itself.
        desk.bench.clock.advance(Duration::minutes(40));
        for _ in 0..5 {
            holder.send("/lost", &[("code", "AAAA-BBBB")]).await.is(422).has(wrong);
        }
        holder.send("/lost", &[("code", "AAAA-BBBB")]).await.is(422).has("Too many tries");
        holder.send("/lost", &[("code", right.as_str())]).await.is(200).has("GPC-001");

        // Without a token, with another form's, or from another site.
        let fields = [("code", right.as_str())];
        let other = holder.token("/lost");
        let own = holder.token("/lost/report");
        holder.post("/lost/report", &fields, "same-origin").await.is(403);
        holder.post("/lost/report", &with_token(&fields, &other), "same-origin").await.is(403);
        holder.post("/lost/report", &with_token(&fields, &own), "cross-site").await.is(403);
        assert_eq!(desk.recorded("loss.reported").await, 0);
    })
    .await;
}

#[actix_web::test]
async fn a_code_is_for_one_item_while_its_holder_has_it() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let phone = desk.phone.clone();
        let other = Desk::phone(&desk.bench, &desk.council, "GPC-002", "Bob", Mode::Supervised).await;
        let (first, second) = (code(&mut desk, &phone.asset).await, code(&mut desk, &other.asset).await);
        let mut holder = holder(&desk).await;
        holder.send("/lost", &[("code", second.as_str())]).await.is(200).has("GPC-002").lacks("GPC-001");
        // Another's item in the form changes nothing: the code says which.
        let fields = [("code", second.as_str()), ("asset", phone.asset.as_str())];
        holder.send("/lost/report", &fields).await.is(200).has("GPC-002 is reported lost");
        desk.clerk.get("/console/councils/germoe").await.is(200).has("GPC-002 is lost").lacks("GPC-001 is lost");

        // A renewed card makes the earlier one useless; so does a hand-over.
        let renewed = code(&mut desk, &phone.asset).await;
        holder.send("/lost", &[("code", first.as_str())]).await.is(422);
        holder.send("/lost", &[("code", renewed.as_str())]).await.is(200);
        let (context, asset, council) = (desk.bench.context(Actor::Local), phone.asset.clone(), desk.council.clone());
        desk.bench
            .database
            .write("hand over", move |tx| {
                for held in store::custody::current_of_assets(tx, &council, vec![asset.clone()])? {
                    store::custody::end(tx, &held, context.now)?;
                }
                Ok(())
            })
            .await
            .expect("handed over");
        holder.send("/lost", &[("code", renewed.as_str())]).await.is(422);
        holder.send("/lost/report", &[("code", renewed.as_str())]).await.is(422);
        desk.clerk.get(&card(&phone.asset)).await.is(200).has("Nobody holds this item now");
    })
    .await;
}

#[actix_web::test]
async fn only_who_keeps_the_register_makes_cards() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let phone = desk.phone.clone();
        let custody = custody(&desk, &phone.asset).await;
        let (page, fields) = (card(&phone.asset), [("custody", custody.as_str())]);
        desk.clerk.get(&page).await.is(200).has("No card yet").has("Mary-Ann O&#39;Brien");
        for other in [&mut desk.chair, &mut desk.auditor] {
            other.get(&page).await.is(403);
            other.send(&page, &fields).await.is(403).has("role does not allow");
        }
        desk.stranger.get(&page).await.is(404);
        desk.stranger.send(&page, &fields).await.is(404);
        desk.clerk.post(&page, &fields, "same-origin").await.is(403);
        desk.clerk.send(&page, &[("custody", &"x".repeat(10_000))]).await.is(422).has("does not hold the item");
        assert_eq!(desk.recorded("asset.report_code_made").await, 0);
        let token = desk.clerk.token(&page);
        let once = desk.clerk.post(&page, &with_token(&fields, &token), "same-origin").await.is(200);
        let again = desk.clerk.post(&page, &with_token(&fields, &token), "same-origin").await.is(200);
        let shown = |text: &str| text.split_once("class=\"secret\">").map(|(_, rest)| rest[..19].to_owned());
        assert_eq!(shown(&once.text), shown(&again.text), "a second click shows the same card");
        assert!(once.text.contains("https://germoe.example/lost") && once.text.contains("<svg role=\"img\""));
        desk.provider.get(&page).await.is(200).lacks("No card yet");
        assert_eq!(desk.recorded("asset.report_code_made").await, 1);
    })
    .await;
}

#[actix_web::test]
async fn a_holder_reaches_nothing_that_destroys_or_opens() {
    on_both(|bench| async move {
        let mut desk = Desk::new(bench).await;
        let case = desk.lose().await;
        let case = CaseId::from(case.rsplit('/').next().expect("an id"));
        let other = Desk::phone(&desk.bench, &desk.council, "GPC-002", "Bob", Mode::Supervised).await;
        let actor =
            Actor::Holder { council: desk.council.clone(), asset: other.asset.clone(), custody: "x".to_owned() };
        for permission in [
            Permission::Read,
            Permission::Lock,
            Permission::Register,
            Permission::Settings,
            Permission::ClearPasscode,
            Permission::RequestOrder,
            Permission::ApproveOrder,
            Permission::CancelOrder,
            Permission::Operators,
            Permission::Installation,
        ] {
            assert!(actor.require(permission, &desk.council).is_err(), "{permission:?}");
            assert!(actor.require_installation(permission).is_err(), "{permission:?}");
        }
        assert!(actor.require_fresh(desk.bench.clock.now()).is_err());
        // Another item's loss and lock: not there for him.
        let (context, phone) = (desk.bench.context(actor), desk.phone.clone());
        desk.bench
            .database
            .write("another's", move |tx| {
                assert!(losses::lock_again(tx, &context, &case).is_err());
                assert!(crate::operations::devices::lock(tx, &context, &phone.device, "", "", Some(&case)).is_err());
                assert!(people::list(tx, &context, "germoe", false, None, 10).is_err());
                Ok(())
            })
            .await
            .expect("refused");
    })
    .await;
}
