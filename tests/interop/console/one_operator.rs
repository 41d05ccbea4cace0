//! A council with one operator: announced to everyone, then a lost phone erased alone, stopped once by whoever was told by mail.

use std::path::PathBuf;
use std::time::Instant;

use beadle_server::demo::{Council, Town, text};
use beadle_simulator::mail_server::{MailServer, Privacy};
use beadle_tests::{PATIENCE, Place, databases, wait_for_hours};
use chrono::Duration;
use serde_json::json;
use tokio::runtime::Handle;

use super::{SCREENS, Visitor, enrolled};
use crate::installed;

/// A name as people may have one.
const CHAIR: &str = "Cllr <b>Demelza</b> Trevithick-Penhaligon-Bolitho \u{5d0}\u{5d1} of Germoe";
const ADDRESS: &str = "demelza@home.example";

#[tokio::test(flavor = "multi_thread")]
async fn one_operator_alone_and_somebody_who_stops_it() {
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
    let mut town = Town::start(folder.path(), |config| {
        config.database.url = place.url();
        config.mail.extra_roots = vec![root];
    })
    .await
    .expect("a town");
    let mut council = town.council("germoe", "Germoe Parish Council", "germoe").await.expect("a council");
    let server = json!({
        "host": "127.0.0.1", "port": post.address().port(), "security": "starttls", "username": "beadle",
        "password": "tin mine tide", "sender": "beadle@example.org",
    });
    town.provider.api.put("/mail/server", server).await.expect("a mail server");
    // The colleague leaves, and is told all the same.
    let account = council.chair.api.get("/account").await.expect("an account");
    let chair = format!("/operators/{}", text(&account, "/id").expect("an id"));
    town.provider.api.patch(&chair, json!({ "mail": "chair@germoe.example" })).await.expect("an address");
    wait_for_hours(&town, &mut council, 73).await;
    council.clerk.api.delete(&chair).await.expect("ended");
    let tag = "GPC-001";
    let (_, phone) = enrolled(&town, &council, tag, "Mary Holder", false).await;
    let profiles = (folder.path().join("clerk"), folder.path().join("chair"));
    let handle = Handle::current();
    town = tokio::task::spawn_blocking(move || {
        let mut scene = Scene::new(town, council, post, profiles);
        scene.announce();
        scene.someone_ends_it();
        // In full on the other kind of screen.
        scene.clerk.sit(SCREENS[0]);
        scene.chair.sit(SCREENS[0]);
        scene.announce();
        scene.take_effect();
        scene.erase(tag);
        assert!(handle.block_on(phone.wait_until(PATIENCE, |state| state.wiped)).is_some(), "it is erased");
        scene.end();
        scene.town
    })
    .await
    .expect("the journey ends well");
    town.server.expect("runs").stop().await.expect("stops");
}

struct Scene {
    town: Town,
    council: Council,
    post: MailServer,
    clerk: Visitor,
    /// Somebody with a mail program and no account.
    chair: Visitor,
    read: usize,
}

impl Scene {
    fn new(town: Town, council: Council, post: MailServer, profiles: (PathBuf, PathBuf)) -> Self {
        let base = town.addresses[0].clone();
        let mut clerk = Visitor::new(&profiles.0, &base, SCREENS[1]);
        let chair = Visitor::new(&profiles.1, &base, SCREENS[1]);
        clerk.open("/console/sign-in");
        clerk.sign_in(&town, &council.clerk);
        Self { town, council, post, clerk, chair, read: 0 }
    }

    fn sign_in(&mut self) {
        self.clerk.open("/console/sign-in");
        self.clerk.sign_in(&self.town, &self.council.clerk);
    }

    fn pages(&self) -> String {
        format!("/console/councils/{}/one-operator", self.council.slug)
    }

    /// The place of the link in the next mail to this address that has one, and how many mails there were since the last.
    fn link_to(&mut self, address: &str) -> String {
        let started = Instant::now();
        loop {
            let all = self.post.received();
            for (number, mail) in all.iter().enumerate().skip(self.read) {
                if mail.to == [address]
                    && let Some(link) = mail.body().lines().find(|line| line.contains("/stop?code="))
                {
                    self.read = number + 1;
                    return link.trim().strip_prefix(&self.town.addresses[0]).expect("own address").to_owned();
                }
            }
            assert!(started.elapsed() < PATIENCE, "no mail with a link to {address}");
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
    }

    fn announce(&mut self) {
        let clerk = &mut self.clerk;
        clerk.open("/console");
        clerk.browser.follow("Settings");
        clerk.browser.follow("One-operator working");
        assert!(clerk.judge("one-operator-none").contains("Two people must agree"));
        clerk.browser.follow("Announce one-operator working");
        clerk.judge("one-operator-form");
        clerk.browser.follow("Announce it to everyone");
        assert!(clerk.judge("one-operator-wrong").contains("There is a problem"));
        clerk.browser.fill("#chair_name", CHAIR);
        clerk.browser.fill("#chair_address", "nowhere");
        clerk.browser.fill("#reason", "There is only the clerk, and the chair has no account.");
        clerk.browser.follow("Announce it to everyone");
        assert!(clerk.judge("one-operator-wrong-address").contains("must be a mail address"));
        clerk.browser.fill("#chair_address", ADDRESS);
        clerk.browser.follow("Announce it to everyone");
        let words = clerk.judge("one-operator-announced");
        assert!(words.contains(ADDRESS) && words.contains("chair@germoe.example"), "{words}");
    }

    fn someone_ends_it(&mut self) {
        let link = self.link_to(ADDRESS);
        self.chair.open(&link);
        assert!(self.chair.judge("stop-announcement").contains("Shall one operator work alone?"));
        self.chair.browser.follow("Do not allow this");
        assert!(self.chair.judge("stop-announcement-done").contains("It is not allowed"));
        let pages = self.pages();
        self.clerk.open(&pages);
        assert!(self.clerk.browser.words().contains("Two people must agree"));
        self.clerk.open("/console");
        assert!(self.clerk.judge("home-after-stop").contains("does not want that one operator works alone"));
    }

    fn take_effect(&mut self) {
        let pages = self.pages();
        let started = Instant::now();
        loop {
            self.clerk.open(&pages);
            if self.clerk.browser.words().contains("It takes effect on") {
                break;
            }
            assert!(started.elapsed() < PATIENCE, "not everyone is told: {}", self.clerk.browser.words());
            std::thread::sleep(std::time::Duration::from_millis(300));
        }
        self.clerk.judge("one-operator-told");
        self.link_to(ADDRESS);
        self.town.clock.advance(Duration::hours(73));
        self.sign_in();
        self.clerk.open(&pages);
        assert!(self.clerk.judge("one-operator-in-effect").contains("It has been in effect since"));
    }

    fn erase(&mut self, tag: &str) {
        self.clerk.open("/console");
        self.clerk.report(tag, tag);
        self.clerk.wait_for("The phone confirmed it");
        self.clerk.browser.follow("Ask for the phone to be erased");
        assert!(self.clerk.judge("wipe-alone").contains("have 30 minutes to stop it"));
        self.clerk.browser.fill("#asset_tag", tag);
        self.clerk.browser.fill("#reason", "Stolen, and it holds residents' letters.");
        self.clerk.browser.follow("Ask for it to be erased");
        let order = self.clerk.place();
        self.clerk.wait_for("It goes on by itself on");
        assert!(!self.clerk.judge("order-cooling-off").contains("another person must approve it"));

        let link = self.link_to(ADDRESS);
        self.chair.open(&link);
        assert!(self.chair.judge("stop-order").contains(&format!("Stop the order to erase {tag}?")));
        self.chair.browser.follow("Stop it");
        assert!(self.chair.judge("stop-order-done").contains("It is stopped"));
        self.chair.open(&link);
        assert!(self.chair.browser.words().contains("It is stopped"), "the same again");
        self.chair.open("/stop?code=0000");
        assert!(self.chair.judge("stop-unknown").contains("This link is not known"));
        self.clerk.open(&order);
        assert!(self.clerk.judge("order-stopped").contains("was told of it by mail, stopped it"));

        self.clerk.browser.follow("Begin its 30 minutes anew");
        self.clerk.wait_for("It goes on by itself on");
        let link = self.link_to(ADDRESS);
        self.town.clock.advance(Duration::minutes(32));
        self.clerk.open("/console/sign-in");
        if self.clerk.browser.words().contains("Password") {
            self.clerk.sign_in(&self.town, &self.council.clerk);
        }
        self.clerk.open(&order);
        self.clerk.wait_for("Confirmed by the phone: it erases itself");
        assert!(self.clerk.judge("order-erased-alone").contains("Nobody stopped it between"));
        self.chair.open(&link);
        assert!(self.chair.judge("stop-too-late").contains("There is nothing left to stop"));
    }

    fn end(&mut self) {
        let pages = self.pages();
        self.clerk.open(&pages);
        self.clerk.browser.follow("End one-operator working");
        self.clerk.judge("one-operator-end");
        self.clerk.browser.follow("End it now");
        assert!(self.clerk.browser.words().contains("Two people must agree"));
        assert_eq!(self.post.breaches(), Vec::<String>::new());
    }
}
