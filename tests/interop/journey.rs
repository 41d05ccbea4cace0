//! A councillor opens the link: the notice, the button, the profile or the code; the links that lead nowhere; and the pages
//! that others are shown.

use std::path::{Path, PathBuf};

use beadle_server::demo::{Council, Invited, Town};
use beadle_tests::{Place, databases};
use chrono::Duration;
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::{installed, left_out};

const WIDTHS: [u32; 2] = [1280, 390];

/// A browser that judges every page it is shown.
struct Visitor {
    browser: Browser,
    /// axe-core, when `TEST_AXE` names its file: judges whether people with impairments can use a page.
    axe: Option<String>,
    /// Where pictures are kept, when `TEST_PICTURES` names a folder.
    pictures: Option<PathBuf>,
}

impl Visitor {
    fn new(folder: &Path) -> Self {
        let axe = std::env::var_os("TEST_AXE").map(|file| std::fs::read_to_string(file).expect("axe-core"));
        if axe.is_none() {
            left_out("accessibility is not judged: TEST_AXE does not name axe-core's axe.min.js");
        }
        let pictures = std::env::var_os("TEST_PICTURES").map(PathBuf::from);
        Self { browser: Browser::start(folder), axe, pictures }
    }

    fn open(&mut self, url: &str, width: u32) -> u16 {
        self.browser.become_wide(width, false);
        self.browser.open(url)
    }

    /// What every page must be: in one language that is named, within the window, without complaint, usable by all.
    fn judge(&mut self, name: &str, width: u32) -> String {
        let browser = &mut self.browser;
        if let Some(folder) = &self.pictures {
            std::fs::write(folder.join(format!("{name}-{width}.png")), browser.picture()).expect("a picture");
        }
        assert_eq!(browser.complaints(), Vec::<String>::new(), "{name} at {width}");
        let wide = browser.evaluate("document.documentElement.scrollWidth");
        assert!(wide.as_u64().is_some_and(|wide| wide <= u64::from(width)), "{name} is {wide} wide, not {width}");
        let foreign = browser.evaluate("document.querySelectorAll('script,iframe,img,object,embed,link').length");
        assert_eq!(foreign, json!(0), "{name} needs nothing but itself");
        if let Some(axe) = &self.axe {
            // The page's own programs stay forbidden by its policy; this lets the judge's timers run.
            browser.become_wide(width, true);
            browser.evaluate(&format!("{axe};0"));
            for dark in [true, false] {
                browser.become_dark(dark);
                let found = browser.evaluate(
                    "axe.run(document).then(r => ({ judged: r.passes.map(p => p.id), \
                     wrong: r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html).join(' ')) }))",
                );
                assert_eq!(found["wrong"], json!([]), "{name} at {width}, dark: {dark}");
                let judged = found["judged"].as_array().is_some_and(|rules| rules.contains(&json!("color-contrast")));
                assert!(judged, "{name} at {width}, dark: {dark}: {found}");
            }
            browser.become_wide(width, false);
        }
        browser.words()
    }

    /// Reads the notice, accepts, and sees where the profile is.
    fn accept(&mut self, name: &str, width: u32, link: &str, council: &str, tag: &str) {
        assert_eq!(self.open(link, width), 200);
        let words = self.judge(&format!("{name}-notice"), width);
        for expected in [council, tag, "can see", "cannot see", "I have read this and accept"] {
            assert!(words.contains(expected), "{name}: {expected:?} is not in {words}");
        }
        assert!(!words.contains("Get the profile"), "nothing is offered before it is accepted");
        assert_eq!(self.browser.click("button[type=submit]"), 200);
        let words = self.judge(&format!("{name}-accepted"), width);
        assert!(words.contains("Almost done") && words.contains("Get the profile"), "{words}");
        assert!(!words.contains("I have read this and accept"), "{words}");
        let profile = self.browser.evaluate("document.querySelector('a.get').href");
        assert_eq!(profile, json!(format!("{link}/beadle.mobileconfig")));
    }

    /// Reads the notice of an Android phone, accepts, and looks at the code or the link.
    fn accept_android(&mut self, name: &str, link: &str, expected: &str) {
        for (number, width) in WIDTHS.into_iter().enumerate() {
            assert_eq!(self.open(link, width), 200);
            if number == 0 {
                self.judge(&format!("{name}-notice"), width);
                assert_eq!(self.browser.click("button[type=submit]"), 200);
            }
            let words = self.judge(&format!("{name}-accepted"), width);
            assert!(words.contains("Almost done") && !words.contains("Get the profile"), "{name}: {words}");
            assert_eq!(self.browser.click("button[type=submit]"), 200);
            let words = self.judge(&format!("{name}-code"), width);
            assert!(words.contains(expected), "{name}: {words}");
            let drawn = self.browser.evaluate("document.querySelectorAll('.code svg').length");
            assert_eq!(drawn, json!(1), "{name}: a code to scan");
        }
    }

    /// Opens a page that anyone may see, at every width.
    fn shown(&mut self, name: &str, url: &str, expected: &str) {
        for width in WIDTHS {
            assert_eq!(self.open(url, width), 200, "{name}");
            let words = self.judge(name, width);
            assert!(words.contains(expected), "{name}: {words}");
        }
    }

    /// Opens a link that leads nowhere, at every width.
    fn refused(&mut self, name: &str, link: &str, status: u16, expected: &str) {
        for width in WIDTHS {
            assert_eq!(self.open(link, width), status, "{name}");
            let words = self.judge(name, width);
            assert!(words.contains(expected), "{name}: {words}");
            assert_eq!(self.browser.evaluate("document.querySelectorAll('form,a').length"), json!(0), "{name}");
        }
    }
}

async fn invite(town: &Town, council: &Council, tag: &str, holder: &str) -> Invited {
    town.invite(council, tag, holder, &town.phone_options(tag)).await.expect("an invitation")
}

/// Headers of the page that hold whatever the page is.
async fn headers_are_strict(town: &Town, link: &str) {
    let root = reqwest::Certificate::from_pem(town.root_pem.as_bytes()).expect("a root");
    let client = reqwest::Client::builder().tls_certs_merge([root]).build().expect("a client");
    for url in [link.to_owned(), format!("{link}x"), format!("{}/i/a/b/c", town.addresses[0])] {
        let answer = client.get(&url).send().await.expect("answers");
        let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; "), "{url}: {policy:?}");
        assert!(!policy.contains("script-src") && !policy.contains("unsafe"), "{url}: {policy:?}");
        assert_eq!(header("referrer-policy"), "no-referrer", "{url}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{url}");
        assert!(header("cache-control").contains("no-store"), "{url}: {:?}", header("cache-control"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_councillor_opens_the_link() {
    if !installed("chromium", &["--version"]) {
        return;
    }
    for place in databases() {
        open_links(&place).await;
    }
}

async fn open_links(place: &Place) {
    let folder = tempfile::tempdir().expect("a folder");
    let town = Town::start(folder.path(), |config| config.database.url = place.url()).await.expect("a town");
    let names = [
        ("plain", "Germoe Parish Council", "GPC-00"),
        (
            "long",
            "The Parish Council of Saint Mary near Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch",
            "LLANFAIRPWLLGWYNGYLLGOGERYCHWYRN-00",
        ),
        ("markup", "<script>document.title='Taken'</script><b>Bold</b> & \"Sons\" {{ 7*7 }}", "<i>M</i>&amp;-00"),
        ("right-to-left", "مجلس بلدية القرية القديمة", "هاتف-00"),
    ];
    let (mut councils, mut made) = (Vec::new(), Vec::new());
    for (slug, name, tag) in names {
        let council = town.council(slug, name, "council-template").await.expect("a council");
        for (number, width) in WIDTHS.into_iter().enumerate() {
            let tag = format!("{tag}{number}");
            let invited = invite(&town, &council, &tag, name).await;
            made.push((slug, name, width, invited));
        }
        councils.push(council);
    }
    let plain = &councils[0];
    headers_are_strict(&town, &made[0].3.link).await;
    let used = invite(&town, plain, "GPC-010", "Cllr Used").await;
    let phone = town.enrol(&used, town.phone_options("GPC-010")).await.expect("enrols");
    phone.stop().await.expect("stops");
    let expired = invite(&town, plain, "GPC-011", "Cllr Expired").await;
    let withdrawn = invite(&town, plain, "GPC-012", "Cllr Withdrawn").await;
    withdraw(plain, &withdrawn).await;

    let (profile, clock) = (folder.path().join("browser"), town.clock.clone());
    tokio::task::spawn_blocking(move || {
        let mut visitor = Visitor::new(&profile);
        for (slug, name, width, invited) in &made {
            visitor.accept(slug, *width, &invited.link, name, &invited.tag);
            assert_eq!(visitor.browser.evaluate("document.title"), json!(format!("{name}: device management")));
        }
        let (start, _) = expired.link.rsplit_once('/').expect("an address");
        visitor.refused("unknown", &format!("{start}/AAAAAAAAAAAAAAAAAAAAAAAAAA"), 404, "There is no such invitation");
        visitor.refused("used", &used.link, 410, "This invitation was used");
        visitor.refused("withdrawn", &withdrawn.link, 410, "taken back");
        clock.advance(Duration::days(60));
        visitor.refused("expired", &expired.link, 410, "This invitation has run out");
    })
    .await
    .expect("the journey ends well");
    town.server.expect("runs").stop().await.expect("stops");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_holder_of_an_android_phone_and_a_programmer_see_pages_for_all() {
    if !installed("chromium", &["--version"]) {
        return;
    }
    for place in databases() {
        open_other_pages(&place).await;
    }
}

async fn open_other_pages(place: &Place) {
    let folder = tempfile::tempdir().expect("a folder");
    let town = Town::start(folder.path(), |config| config.database.url = place.url()).await.expect("a town");
    let council = town.council("germoe", "Germoe Parish Council", "germoe").await.expect("a council");
    town.connect_google(&council).await.expect("connected to Google");
    let mut invited = Vec::new();
    for (mode, expected) in [
        ("fully_managed", "Scan this code with the new phone"),
        ("personal_work_profile", "Add the work profile to your phone"),
    ] {
        let made = town.invite_android(&council, mode, "Cllr Bolitho", mode).await.expect("an invitation");
        invited.push((mode, made.link, expected));
    }
    // Another council signs up, and its visitor comes back from Google's page.
    let other = town.council("coreley", "Coreley Parish Council", "coreley").await.expect("a council");
    let path = format!("/councils/{}/google/sign-up", other.id);
    let sign_up = other.clerk.api.post(&path, json!({})).await.expect("a sign-up");
    let url = sign_up["url"].as_str().expect("an address");
    let back = town.google.console_completes_sign_up(url, "the council").expect("signs up");
    let documented = format!("{}/api/v1/docs", town.addresses[0]);

    let profile = folder.path().join("browser");
    tokio::task::spawn_blocking(move || {
        let mut visitor = Visitor::new(&profile);
        for (name, link, expected) in &invited {
            visitor.accept_android(name, link, expected);
        }
        assert_eq!(visitor.open(&back, WIDTHS[1]), 200);
        let words = visitor.judge("returned", WIDTHS[1]);
        assert!(words.contains("Coreley Parish Council is connected to Google"), "{words}");
        visitor.shown("documentation", &documented, "Beadle: the API");
    })
    .await
    .expect("the journey ends well");
    town.server.expect("runs").stop().await.expect("stops");
}

async fn withdraw(council: &Council, invited: &Invited) {
    let clerk = &council.clerk.api;
    let list = clerk.get(&format!("/councils/{}/invitations?limit=100", council.id)).await.expect("a list");
    let items = list.get("items").and_then(Value::as_array).expect("items");
    let one = items.iter().find(|item| item["asset_tag"] == invited.tag).expect("the invitation");
    clerk.delete(&format!("/invitations/{}", one["id"].as_str().expect("an id"))).await.expect("withdraws");
}
