//! What a page of the console costs and weighs for a council with very many devices: CPU and time at the server, bytes of the page
//! and of all its files.

use std::time::{Duration, Instant};

use beadle_server::demo::{Council, Person, Town};
use beadle_server::model::{CouncilId, PersonId};
use beadle_server::store::{self, Database};
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};

use crate::account::Account;
use crate::seed;
use crate::table::{Table, Target};

/// How many items get their holders in one transaction.
const BATCH: i64 = 500;
/// How often each page is opened for one figure.
const TIMES: usize = 100;
/// The most milliseconds of server time, and the most kilobytes, that a page may take.
const MILLISECONDS: f64 = 50.0;
const KILOBYTES: f64 = 100.0;

/// A browser, as far as the server can tell.
struct Browser {
    client: reqwest::Client,
    base: String,
    cookies: Vec<(String, String)>,
}

/// What stands between two texts on a page.
fn between<'a>(page: &'a str, before: &str, after: &str) -> Option<&'a str> {
    page.split_once(before)?.1.split_once(after).map(|(found, _)| found)
}

impl Browser {
    fn new(town: &Town) -> Self {
        let root = reqwest::Certificate::from_pem(town.root_pem.as_bytes()).expect("a root");
        let client = reqwest::Client::builder()
            .tls_certs_merge([root])
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client");
        Self { client, base: town.addresses[0].clone(), cookies: Vec::new() }
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> (u16, String, String) {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = request.header(COOKIE, cookies.join("; ")).header("sec-fetch-site", "same-origin");
        let answer = request.send().await.expect("an answer");
        for cookie in answer.headers().get_all(SET_COOKIE) {
            let pair = cookie.to_str().expect("text").split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').expect("a cookie");
            self.cookies.retain(|(other, _)| other != name);
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
        let place = answer.headers().get(LOCATION).and_then(|place| place.to_str().ok()).unwrap_or_default().to_owned();
        (answer.status().as_u16(), place, answer.text().await.expect("a page"))
    }

    async fn get(&mut self, place: &str) -> String {
        let request = self.client.get(format!("{}{place}", self.base));
        let (status, _, page) = self.send(request).await;
        assert_eq!(status, 200, "{place}: {page}");
        page
    }

    async fn sign_in(&mut self, person: &Person) {
        // A code counts once; the one that was used to set the account up may still be the present one.
        for _ in 0..3 {
            let page = self.get("/console/sign-in").await;
            let token = between(&page, "name=\"form_token\" value=\"", "\"").expect("a token").to_owned();
            let code = person.code(0).expect("a code");
            let form = [
                ("form_token", token.as_str()),
                ("login", &person.login),
                ("password", &person.password),
                ("totp", &code),
            ];
            let request = self.client.post(format!("{}/console/sign-in", self.base)).form(&form);
            if self.send(request).await.0 == 303 {
                return;
            }
            tokio::time::sleep(Duration::from_secs(31)).await;
        }
        panic!("the clerk is not let in");
    }

    /// The bytes of a page's own files.
    async fn files(&mut self, page: &str) -> usize {
        let mut weight = 0;
        for piece in page.split("\"/console/files/").skip(1) {
            let name = piece.split('"').next().unwrap_or_default().to_owned();
            weight += self.get(&format!("/console/files/{name}")).await.len();
        }
        weight
    }
}

/// What a device that enrolled has beside its own rows: what it reports of each setting, and somebody who holds it.
async fn settle(database: &Database, council: &str) {
    seed::run(
        database,
        &format!(
            "INSERT INTO setting_states (council_id, enrolment_id, setting, state, reason, since, checked_at) \
             SELECT e.council_id, e.id, s.setting, s.state, s.reason, s.since, s.checked_at FROM enrolments e, setting_states s \
             WHERE e.council_id = '{council}' AND e.generation = 1000000 AND s.council_id = e.council_id"
        ),
    );
    let council = CouncilId::from(council);
    let mut after: Option<String> = None;
    loop {
        let (council, from) = (council.clone(), after.clone());
        let last = database
            .write("seed holders", move |tx| {
                let items = store::assets::page(tx, &council, Some(false), from.as_deref(), BATCH)?;
                for asset in &items {
                    let Some(number) = asset.tag.strip_prefix("SEED-") else { continue };
                    let person = store::people::Person {
                        council_id: council.clone(),
                        id: PersonId::new(),
                        name: format!("Cllr Ann-{number} Angove of Ward {number}"),
                        email: None,
                        phone: None,
                        council_device_only: false,
                        created_at: asset.created_at,
                        ended_at: None,
                    };
                    store::people::insert(tx, &person)?;
                    let held = store::custody::Custody {
                        council_id: council.clone(),
                        id: format!("held {}", asset.id),
                        asset_id: asset.id.clone(),
                        person_id: person.id,
                        since: asset.created_at,
                        until: None,
                    };
                    store::custody::insert(tx, &held)?;
                }
                Ok(items.last().map(|asset| asset.id.to_string()))
            })
            .await
            .expect("seeded");
        if last.is_none() {
            break;
        }
        after = last;
    }
    seed::run(database, "ANALYZE");
}

/// Measures the pages of `council`, which has one phone that enrolled, with so many devices.
pub(crate) async fn measure(
    town: &Town,
    council: &Council,
    database: &Database,
    account: &Account,
    devices: usize,
    table: &mut Table,
) {
    seed::devices(database, &council.id, devices).await;
    settle(database, &council.id).await;
    println!("{devices} devices are on the register");
    let mut browser = Browser::new(town);
    browser.sign_in(&council.clerk).await;
    let home = format!("/console/councils/{}", council.slug);
    let find = format!("{home}/lost?find=SEED-{}", devices / 2);
    let list = format!("{home}/devices");
    let found = browser.get(&find).await;
    let lost = format!("/console/assets/{}/lost", between(&found, "\"/console/assets/", "/lost\"").expect("an item"));
    let listed = browser.get(&list).await;
    let device = format!("/console/devices/{}", between(&listed, "\"/console/devices/", "\"").expect("a device"));
    for (what, place) in [
        ("home", &home),
        ("find a lost phone, by tag", &find),
        ("find a lost phone, by a name that all have", &format!("{home}/lost?find=angove")),
        ("devices list", &list),
        ("devices list, by tag", &format!("{list}?find=SEED-{}", devices / 2)),
        ("device page", &device),
        ("lost form", &lost),
    ] {
        let page = browser.get(place).await;
        let (before, mut times) = (account.spent(), Vec::with_capacity(TIMES));
        for _ in 0..TIMES {
            let started = Instant::now();
            browser.get(place).await;
            times.push(started.elapsed());
        }
        let spent = (account.spent() - before) * 1e3 / TIMES as f64;
        times.sort();
        let (middle, late) = (times[TIMES / 2], times[TIMES * 95 / 100]);
        let weight = (page.len() + browser.files(&page).await) as f64 / 1000.0;
        table.row(&format!("{what}: CPU"), spent, "ms", Target::AtMost(MILLISECONDS));
        table.row("  time to the answer, half of them", middle.as_secs_f64() * 1e3, "ms", Target::AtMost(MILLISECONDS));
        table.row("  time to the answer, 95 of 100", late.as_secs_f64() * 1e3, "ms", Target::None);
        table.row("  weight with its files", weight, "kB", Target::AtMost(KILOBYTES));
    }
}
