//! The console in real browsers, with and without programs on the page; every page judged in every state. One file per journey.

mod devices;
mod first_day;
mod first_run;
mod holder;
mod leaver;
mod lost;
mod mail;
mod one_operator;
mod own_phone;
mod passkeys;
mod policy;
mod register;
mod settings;

use std::path::{Path, PathBuf};

use beadle_server::demo::{Council, Invited, Person, Town};
use beadle_simulator::apple::phone::PhoneHandle;
use beadle_tests::{PATIENCE, Place};
use chrono::Duration;
use serde_json::json;

use crate::browser::Browser;
use crate::left_out;

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

/// All of them on SQLite; on PostgreSQL, whose pages are the same ones, the first two: with programs, and without.
fn screens(place: &Place) -> Vec<Screen> {
    SCREENS.into_iter().take(if place.url().is_some() { 2 } else { SCREENS.len() }).collect()
}

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

async fn enrolled(town: &Town, council: &Council, tag: &str, holder: &str, supervised: bool) -> (Invited, PhoneHandle) {
    let mut options = town.phone_options(tag);
    options.supervised = supervised;
    let invited = town.invite(council, tag, holder, &options).await.expect("an invitation");
    let phone = town.enrol(&invited, options).await.expect("enrols");
    (invited, phone)
}
