//! Mail: a provider sets the mail server and tries it, and a loss is told to the clerk by mail whose link leads to it.

use beadle_server::demo::{Town, text};
use beadle_simulator::mail_server::{Fault, MailServer, Privacy, Stage};
use beadle_tests::{PATIENCE, Place, databases};
use serde_json::json;

use super::{SCREENS, Visitor, enrolled};
use crate::installed;

#[tokio::test(flavor = "multi_thread")]
async fn mail_is_set_tried_and_tells_of_a_loss() {
    if !installed("chromium", &["--version"]) {
        return;
    }
    for place in databases() {
        travel(&place).await;
    }
}

async fn travel(place: &Place) {
    let folder = tempfile::tempdir().expect("a folder");
    let post = MailServer::start(Privacy::Starttls, Some(("beadle", "tin mine tide"))).await.expect("a mail server");
    let root = folder.path().join("mail-root.pem");
    std::fs::write(&root, post.root_certificate_pem()).expect("written");
    let town = Town::start(folder.path(), |config| {
        config.database.url = place.url();
        config.mail.extra_roots = vec![root];
    })
    .await
    .expect("a town");
    let council = town.council("germoe", "Germoe <b>Parish</b> Council", "council-template").await.expect("a council");
    let (invited, phone) = enrolled(&town, &council, "GPC-001", "Mary Holder", true).await;
    let account = council.clerk.api.get("/account").await.expect("an account");
    let clerk = text(&account, "/id").expect("an id");
    let change = json!({ "mail": "clerk@germoe.example" });
    town.provider.api.patch(&format!("/operators/{clerk}"), change).await.expect("an address");
    let profile = folder.path().join("browser");
    let (town, post) = tokio::task::spawn_blocking(move || {
        let mut visitor = Visitor::new(&profile, &town.addresses[0], SCREENS[0]);
        for screen in SCREENS {
            visitor.sit(screen);
            set_and_try(&town, &mut visitor, &post);
        }
        (town, post)
    })
    .await
    .expect("the journey ends well");

    // On the last screen the server stayed: the loss is told.
    let before = post.received().len();
    let loss = json!({ "asset": invited.asset, "reporter": "Mary", "place": "Penzance station" });
    let path = format!("/councils/{}/losses", council.id);
    let reported = council.clerk.api.post(&path, loss).await.expect("reported");
    let case = text(&reported, "/case/id").expect("a case");
    let started = std::time::Instant::now();
    let told = loop {
        if let Some(one) = post.received().into_iter().skip(before).find(|one| one.body().contains(&case)) {
            break one;
        }
        assert!(started.elapsed() < PATIENCE, "no mail comes: {:?}", post.received());
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    };
    assert_eq!(told.to, ["clerk@germoe.example"]);
    assert!(told.encrypted && !told.body().contains("Mary"), "{}", told.body());
    assert_eq!(post.breaches(), Vec::<String>::new());
    let link = told.body().lines().find(|line| line.starts_with("https://")).expect("a link").trim().to_owned();
    let (address, page) = (town.addresses[0].clone(), folder.path().join("second-browser"));
    let person = council.clerk.clone();
    let town = tokio::task::spawn_blocking(move || {
        let mut visitor = Visitor::new(&page, &address, SCREENS[1]);
        visitor.open(link.strip_prefix(&address).expect("the council's own address"));
        assert!(visitor.judge("sign-in-from-mail").contains("Sign in"));
        visitor.sign_in(&town, &person);
        assert!(visitor.judge("loss-from-mail").contains("GPC-001: lost phone"));
        town
    })
    .await
    .expect("the link leads there");
    drop(phone);
    town.server.expect("runs").stop().await.expect("stops");
}

fn set_and_try(town: &Town, visitor: &mut Visitor, post: &MailServer) {
    let last = visitor.screen.width == 390 && visitor.screen.scripts;
    visitor.open("/console/sign-in");
    visitor.sign_in(town, &town.provider);
    visitor.judge("councils-with-mail");
    visitor.browser.follow("Mail settings");
    assert!(visitor.judge("mail-none").contains("No mail server is set"));
    visitor.browser.follow("Set a mail server");
    visitor.judge("mail-form");
    visitor.browser.fill("#host", "not a name");
    visitor.browser.follow("Save");
    assert!(visitor.judge("mail-form-wrong").contains("must be a name such as smtp.example.org"));
    visitor.browser.fill("#host", "127.0.0.1");
    visitor.browser.fill("#port", &post.address().port().to_string());
    visitor.browser.fill("#username", "beadle");
    visitor.browser.fill("#password", "tin mine tide");
    visitor.browser.fill("#sender", "beadle@a-very-long-name-of-a-parish-council-near-llanfairpwllgwyngyll.example");
    visitor.browser.follow("Save");
    assert!(visitor.judge("mail-set").contains("Kept, and never shown"));
    visitor.browser.follow("Send a test message");
    assert!(visitor.judge("mail-test-without-address").contains("your account has none yet"));
    visitor.browser.follow("Enter your mail address");
    visitor.judge("own-mail");
    visitor.browser.fill("#mail", "nobody");
    visitor.browser.follow("Save");
    assert!(visitor.judge("own-mail-wrong").contains("must be a mail address"));
    visitor.browser.fill("#mail", "pat@provider.example");
    visitor.browser.follow("Save");
    assert!(visitor.judge("account-with-mail").contains("pat@provider.example"));
    visitor.open("/console/settings/mail/test");
    assert!(visitor.judge("mail-test").contains("pat@provider.example"));
    visitor.browser.follow("Send the test message");
    assert!(visitor.judge("mail-test-accepted").contains("250 2.0.0 queued as"));
    post.at(Stage::SignIn, Some(Fault::Answer(535, "5.7.8 Authentication credentials invalid".to_owned())));
    visitor.open("/console/settings/mail/test");
    visitor.browser.follow("Send the test message");
    assert!(visitor.judge("mail-test-refused").contains("refused the user name or password"));
    post.at(Stage::SignIn, None);
    visitor.open("/console/settings/mail");
    assert!(visitor.judge("mail-with-problem").contains("What went wrong last"));
    visitor.open("/console/account/mail");
    visitor.browser.fill("#mail", "");
    visitor.browser.follow("Save");
    if !last {
        visitor.open("/console/settings/mail");
        visitor.browser.follow("Send no mail any more");
        assert!(visitor.judge("mail-remove").contains("Messages that wait are not sent"));
        visitor.browser.follow("Send no mail any more");
        assert!(visitor.browser.words().contains("No mail server is set"));
    }
    visitor.open("/console");
    visitor.browser.follow("Sign out");
}
