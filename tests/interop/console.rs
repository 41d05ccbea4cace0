//! The console in real browsers: the clerk and the chair from signing in to a phone erased, or found again, with and without
//! programs on the page; every page judged in every state.

use std::path::{Path, PathBuf};

use beadle_server::demo::{Council, Invited, Person, Town, text};
use beadle_simulator::apple::phone::PhoneHandle;
use beadle_tests::{PATIENCE, Place, databases};
use chrono::Duration;
use serde_json::json;
use tokio::runtime::Handle;

use crate::browser::Browser;
use crate::{installed, left_out};

/// What a visitor's screen is, and whether pages may run programs on it.
#[derive(Clone, Copy)]
struct Screen {
    width: u32,
    scripts: bool,
}

const SCREENS: [Screen; 4] = [
    Screen { width: 1280, scripts: true },
    Screen { width: 390, scripts: false },
    Screen { width: 1280, scripts: false },
    Screen { width: 390, scripts: true },
];

/// A person at a browser, who judges every page.
struct Visitor {
    browser: Browser,
    base: String,
    screen: Screen,
    /// axe-core, when `TEST_AXE` names its file.
    axe: Option<String>,
    /// Where pictures are kept, when `TEST_PICTURES` names a folder.
    pictures: Option<PathBuf>,
}

impl Visitor {
    fn new(folder: &Path, base: &str, screen: Screen) -> Self {
        let axe = std::env::var_os("TEST_AXE").map(|file| std::fs::read_to_string(file).expect("axe-core"));
        if axe.is_none() {
            left_out("accessibility is not judged: TEST_AXE does not name axe-core's axe.min.js");
        }
        let pictures = std::env::var_os("TEST_PICTURES").map(PathBuf::from);
        let mut visitor = Self { browser: Browser::start(folder), base: base.to_owned(), screen, axe, pictures };
        visitor.sit(screen);
        visitor
    }

    fn sit(&mut self, screen: Screen) {
        self.screen = screen;
        self.browser.become_wide(screen.width, screen.scripts);
    }

    fn open(&mut self, place: &str) -> u16 {
        self.browser.open(&format!("{}{place}", self.base))
    }

    fn place(&mut self) -> String {
        self.browser.evaluate("location.pathname").as_str().expect("a place").to_owned()
    }

    /// What every page must be: within the window, without complaint, with one heading, usable by all.
    fn judge(&mut self, name: &str) -> String {
        let Screen { width, scripts } = self.screen;
        let name = format!("{name}-{width}{}", if scripts { "" } else { "-without-scripts" });
        if let Some(folder) = &self.pictures {
            std::fs::write(folder.join(format!("{name}.png")), self.browser.picture()).expect("a picture");
        }
        assert_eq!(self.browser.complaints(), Vec::<String>::new(), "{name}");
        let wide = self.browser.evaluate("document.documentElement.scrollWidth");
        assert!(wide.as_u64().is_some_and(|wide| wide <= u64::from(width)), "{name} is {wide} wide, not {width}");
        assert_eq!(self.browser.evaluate("document.querySelectorAll('h1').length"), json!(1), "{name}");
        if let Some(axe) = self.axe.clone().filter(|_| !scripts) {
            // The judge's own timers must run; the page was loaded without its program, and does not get it now.
            self.browser.become_wide(width, true);
            self.browser.evaluate(&format!("{axe};0"));
            for dark in [true, false] {
                self.browser.become_dark(dark);
                let found = self.browser.evaluate(
                    "axe.run(document).then(r => r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html).join(' ')))",
                );
                assert_eq!(found, json!([]), "{name}, dark: {dark}");
            }
            self.browser.become_wide(width, false);
        }
        self.browser.words()
    }

    fn sign_in(&mut self, town: &Town, person: &Person) {
        // Each code counts once, so this waits for the next.
        town.clock.advance(Duration::seconds(31));
        self.browser.fill("#login", &person.login);
        self.browser.fill("#password", &person.password);
        self.browser.fill("#totp", &person.code(0).expect("a code"));
        assert_eq!(self.browser.follow("Sign in"), 200, "{}", self.browser.words());
    }

    /// Waits for words: on a page that shows by itself how things stand, or by asking again and again.
    fn wait_for(&mut self, words: &str) {
        if self.screen.scripts {
            self.browser.wait_for_words(words);
            // Where what may be done has changed, the page loads itself anew.
            std::thread::sleep(std::time::Duration::from_secs(2));
            return self.browser.wait_for_words(words);
        }
        let started = std::time::Instant::now();
        while !self.browser.words().contains(words) {
            assert!(started.elapsed() < PATIENCE, "{words:?} does not come: {}", self.browser.words());
            std::thread::sleep(std::time::Duration::from_millis(300));
            assert_eq!(self.browser.follow("Show how it stands now"), 200);
        }
    }

    /// From the first page to the locked phone: at most four clicks, and one search.
    fn report(&mut self, tag: &str, find: &str) -> String {
        self.browser.follow("Report a lost phone");
        self.judge("find");
        self.browser.fill("#find", find);
        self.browser.follow("Find");
        self.judge("found-one");
        self.browser.follow("This one is lost");
        assert!(self.judge("report").contains("the phone is locked at once"));
        self.browser.follow("Lock it now and report it lost");
        let words = self.browser.words();
        assert!(words.contains(&format!("{tag}: lost phone")), "{words}");
        self.place()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_phone_in_two_browsers() {
    if !installed("chromium", &["--version"]) {
        return;
    }
    for place in databases() {
        lose_phones(&place).await;
    }
}

struct Lost {
    screen: Screen,
    erased: (Invited, PhoneHandle),
    found: (Invited, PhoneHandle),
}

async fn enrolled(town: &Town, council: &Council, tag: &str, holder: &str, supervised: bool) -> (Invited, PhoneHandle) {
    let mut options = town.phone_options(tag);
    options.supervised = supervised;
    let invited = town.invite(council, tag, holder, &options).await.expect("an invitation");
    let phone = town.enrol(&invited, options).await.expect("enrols");
    (invited, phone)
}

async fn lose_phones(place: &Place) {
    let folder = tempfile::tempdir().expect("a folder");
    let town = Town::start(folder.path(), |config| config.database.url = place.url()).await.expect("a town");
    let council = town.council("germoe", "Germoe Parish Council", "germoe").await.expect("a council");
    let mut lost = Vec::new();
    for (number, screen) in SCREENS.into_iter().enumerate() {
        let (tag, holder) = (format!("GPC-01{number}"), format!("Cllr Ann{number} Angove"));
        let erased = enrolled(&town, &council, &tag, &holder, false).await;
        let (tag, holder) = (format!("GPC-02{number}"), format!("Cllr Ben{number} Bolitho"));
        let found = enrolled(&town, &council, &tag, &holder, true).await;
        lost.push(Lost { screen, erased, found });
    }
    let profiles = (folder.path().join("clerk"), folder.path().join("chair"));
    let handle = Handle::current();
    let town = tokio::task::spawn_blocking(move || {
        let base = town.addresses[0].clone();
        let mut clerk = Visitor::new(&profiles.0, &base, SCREENS[0]);
        let mut chair = Visitor::new(&profiles.1, &base, SCREENS[0]);
        for lost in &lost {
            // Two approvals an hour are the most, and nobody stays signed in for so long.
            town.clock.advance(Duration::minutes(61));
            clerk.sit(lost.screen);
            chair.sit(lost.screen);
            erase(&town, &council, &mut clerk, &mut chair, &lost.erased, &handle);
            find_again(&mut clerk, &lost.found, &handle);
        }
        town
    })
    .await
    .expect("the journey ends well");
    town.server.expect("runs").stop().await.expect("stops");
}

fn erase(
    town: &Town,
    council: &Council,
    clerk: &mut Visitor,
    chair: &mut Visitor,
    (invited, phone): &(Invited, PhoneHandle),
    handle: &Handle,
) {
    clerk.open("/console");
    clerk.judge("sign-in-again");
    clerk.sign_in(town, &council.clerk);
    assert!(clerk.judge("home").contains("Report a lost phone"));
    let name = invited.holder.split(' ').nth(1).expect("a name").to_lowercase();
    let case = clerk.report(&invited.tag, &name);
    clerk.wait_for("The phone confirmed it");
    assert!(clerk.judge("case-locked").contains("Read this to the mobile network"));
    assert!(handle.block_on(phone.wait_until(PATIENCE, |state| state.locked)).is_some(), "it is locked");

    clerk.browser.follow("Ask for the phone to be erased");
    clerk.judge("wipe");
    clerk.browser.fill("#asset_tag", "GPC-999");
    clerk.browser.follow("Ask for it to be erased");
    assert!(clerk.judge("wipe-wrong").contains("There is a problem"));
    clerk.browser.fill("#asset_tag", &invited.tag);
    clerk.browser.fill("#reason", "Stolen on the train, and it holds residents' letters.");
    assert_eq!(clerk.browser.follow("Ask for it to be erased"), 200);
    let order = clerk.place();
    assert!(clerk.judge("order-asked").contains("another person must approve it"));

    // The address comes in a mail; it is behind the sign-in.
    chair.open(&order);
    assert!(chair.judge("sign-in-first").contains("Sign in to go on"));
    chair.sign_in(town, &council.chair);
    assert_eq!(chair.place(), order);
    let words = chair.judge("order-to-decide");
    assert!(words.contains("cannot be undone") && words.contains("residents' letters"), "{words}");
    assert_eq!(chair.browser.follow("Approve: erase"), 200);
    chair.wait_for("Confirmed by the phone: it erases itself");
    chair.judge("order-confirmed");
    assert!(handle.block_on(phone.wait_until(PATIENCE, |state| state.wiped)).is_some(), "it is erased");
    clerk.wait_for("Confirmed by the phone: it erases itself");
    clerk.judge("order-confirmed-for-the-clerk");

    clerk.open(&case);
    clerk.browser.follow("Add the police reference");
    clerk.judge("notes");
    clerk.browser.fill("#police_reference", "CR/2026/117");
    clerk.browser.follow("Save");
    clerk.browser.follow("Write down what was decided");
    clerk.judge("breach");
    clerk.browser.fill("#data_held", "Residents' letters");
    clerk.browser.evaluate("document.getElementById('decision-do_not_notify').checked = true");
    clerk.browser.follow("Save the decision");
    assert!(clerk.judge("breach-wrong").contains("Say why"));
    clerk.browser.fill("#reason", "Locked within a minute, and erased.");
    clerk.browser.follow("Save the decision");
    let words = clerk.judge("case-erased");
    assert!(words.contains("CR/2026/117") && words.contains("need not be told"), "{words}");
    clerk.browser.follow("Close this case");
    clerk.judge("close");
    clerk.browser.fill("#outcome", "Stolen, and erased.");
    clerk.browser.follow("Close the case");
    assert!(clerk.judge("case-closed").contains("Stolen, and erased."));
}

fn find_again(clerk: &mut Visitor, (invited, phone): &(Invited, PhoneHandle), handle: &Handle) {
    clerk.open("/console");
    clerk.report(&invited.tag, &invited.tag);
    clerk.wait_for("Locked in Lost Mode");
    clerk.judge("case-lost-mode");
    assert!(
        handle.block_on(phone.wait_until(PATIENCE, |state| state.lost_mode.is_some())).is_some(),
        "it is in Lost Mode"
    );
    clerk.browser.follow("The phone has been found");
    clerk.judge("found");
    clerk.browser.follow("It has been found");
    clerk.wait_for("back in use, as the phone itself reports");
    clerk.judge("case-back-in-use");
    clerk.browser.follow("Close this case");
    clerk.browser.fill("#outcome", "It was in the other coat.");
    clerk.browser.follow("Close the case");
    assert!(clerk.browser.words().contains("It was in the other coat."));
    assert!(handle.block_on(phone.wait_until(PATIENCE, |state| state.lost_mode.is_none())).is_some(), "it is open");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_day_of_a_clerk() {
    if !installed("chromium", &["--version"]) {
        return;
    }
    for place in databases() {
        begin(&place).await;
    }
}

async fn begin(place: &Place) {
    let folder = tempfile::tempdir().expect("a folder");
    let town = Town::start(folder.path(), |config| config.database.url = place.url()).await.expect("a town");
    let long = "The Parish Council of Saint Mary near Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch";
    let council = town.council("long", long, "council-template").await.expect("a council");
    let (tag, holder) = ("<i>LLANFAIRPWLLGWYNGYLLGOGERY</i>-1", "مجلس <script>alert(1)</script> Llanfairpwllgwyngyll");
    town.invite(&council, tag, holder, &town.phone_options("unmanaged")).await.expect("an item");
    let mut people = Vec::new();
    for (number, screen) in SCREENS.into_iter().enumerate() {
        let path = format!("/councils/{}/operators", council.id);
        let body = json!({ "login": format!("deputy{number}"), "name": "Dilys Deputy-Clerk", "role": "clerk" });
        let made = town.provider.api.post(&path, body).await.expect("an operator");
        people.push((screen, format!("deputy{number}"), text(&made, "/initial_password").expect("a password")));
    }
    let profile = folder.path().join("browser");
    let town = tokio::task::spawn_blocking(move || {
        let base = town.addresses[0].clone();
        let mut visitor = Visitor::new(&profile, &base, SCREENS[0]);
        for (screen, login, initial) in &people {
            visitor.sit(*screen);
            first_day(&town, &mut visitor, login, initial);
            visitor.open("/console");
            visitor.browser.follow("Sign out");
            visitor.judge("signed-out");
        }
        visitor.sit(SCREENS[1]);
        visitor.open("/console/sign-in");
        visitor.sign_in(&town, &town.provider);
        assert!(visitor.judge("councils").contains(long));
        visitor.browser.follow("The Parish Council of Saint Mary");
        assert!(visitor.judge("home-of-the-provider").contains("acting for this council"));
        town
    })
    .await
    .expect("the journey ends well");
    town.server.expect("runs").stop().await.expect("stops");
}

fn first_day(town: &Town, visitor: &mut Visitor, login: &str, initial: &str) {
    visitor.open("/console");
    assert!(visitor.judge("sign-in").contains("Sign in"));
    visitor.browser.follow("Sign in");
    assert!(visitor.judge("sign-in-wrong").contains("There is a problem"));
    visitor.browser.fill("#login", login);
    visitor.browser.fill("#password", initial);
    visitor.browser.follow("Sign in");
    assert!(visitor.judge("password").contains("for the first time only"));
    let password = format!("tin mine tide {}", initial.len());
    visitor.browser.fill("#current", initial);
    visitor.browser.fill("#new", "short");
    visitor.browser.fill("#again", "short");
    visitor.browser.follow("Change password");
    assert!(visitor.judge("password-wrong").contains("at least 12 characters"));
    visitor.browser.fill("#current", initial);
    visitor.browser.fill("#new", &password);
    visitor.browser.fill("#again", &password);
    visitor.browser.follow("Change password");
    visitor.judge("second-factor");
    visitor.browser.follow("Continue");
    assert!(visitor.judge("second-factor-code").contains("type this secret"));
    let secret = visitor.browser.evaluate("document.querySelector('.secret').innerText.replaceAll(' ', '')");
    let mut person = town.provider.clone();
    person.login = login.to_owned();
    person.password = password;
    person.secret = secret.as_str().expect("a secret").to_owned();
    visitor.browser.fill("#code", "000000");
    visitor.browser.follow("Continue");
    assert!(visitor.judge("second-factor-wrong").contains("not the code"));
    visitor.browser.fill("#code", &person.code(0).expect("a code"));
    visitor.browser.follow("Continue");
    assert!(visitor.judge("recovery-codes").contains("shown only now"));
    visitor.browser.follow("I have kept them");
    assert!(visitor.judge("home-without-anything").contains("Report a lost phone"));
    visitor.browser.follow("Your account");
    assert!(visitor.judge("account").contains("10 are left"));
    visitor.browser.follow("Make new recovery codes");
    assert!(visitor.judge("confirm").contains("Show your password and a code once more"));
    visitor.browser.follow("I cannot get a code");
    visitor.judge("confirm-with-recovery-code");

    visitor.open("/console");
    visitor.browser.follow("Report a lost phone");
    visitor.browser.follow("Find");
    assert!(visitor.judge("find-without-anything").contains("Enter a name, a tag or a number"));
    visitor.browser.fill("#find", "nobody of this name");
    visitor.browser.follow("Find");
    assert!(visitor.judge("find-nothing").contains("Nothing was found"));
    visitor.browser.fill("#find", "llanfair");
    visitor.browser.follow("Find");
    assert!(visitor.judge("find-nasty").contains("<script>alert(1)</script>"), "shown as it is written");
    let reported = visitor.browser.words().contains("reported lost before");
    visitor.browser.follow(if reported { "Go on with that loss" } else { "This one is lost" });
    if !reported {
        assert!(visitor.judge("report-unmanaged").contains("cannot be locked from here"));
        visitor.browser.fill("#circumstances", &"Left on the bus, as far as anybody remembers. ".repeat(30));
        visitor.browser.follow("Report it lost");
    }
    assert!(visitor.judge("case-unmanaged").contains("not managed by Beadle"));
    visitor.open("/console/approvals");
    assert!(visitor.judge("not-found").contains("Page not found"));
    visitor.open("/console");
    visitor.judge("home-with-a-loss");
    visitor.browser.follow("Approvals");
    visitor.judge("approvals-none");
}
