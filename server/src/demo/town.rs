//! A whole installation on this computer: the real server, a stand-in for Apple's push service, a council and its people.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use beadle_simulator::android::cloud::CloudOptions;
use beadle_simulator::android::{AndroidPhone, GoogleCloud};
use beadle_simulator::apple::phone::{Phone, PhoneHandle, PhoneOptions};
use beadle_simulator::apple::push_service::PushService;
use serde_json::{Value, json};

use super::api::{Api, Person, Refusal, text};
use crate::clock::Clock;
use crate::config::{Config, VendorSettings};
use crate::serve::{self, Running};

fn trouble(problem: impl std::fmt::Display) -> Refusal {
    Refusal { status: 0, detail: problem.to_string() }
}

/// The server's clock, as the simulated world reads it.
fn same_time(clock: &Clock) -> beadle_simulator::Clock {
    let clock = clock.clone();
    beadle_simulator::Clock::from_function(move || clock.now().utc().into())
}

/// The server with everything around it.
pub struct Town {
    /// The real server, when it runs in this process.
    pub server: Option<Running>,
    /// Its public addresses, one for each council.
    pub addresses: Vec<String>,
    /// The stand-in for Apple's push service.
    pub push: PushService,
    /// The stand-in for Google.
    pub google: GoogleCloud,
    /// The server's clock, which tests move.
    pub clock: Clock,
    /// The API, not signed in.
    pub api: Api,
    /// The provider's first operator.
    pub provider: Person,
    /// PEM of the root that the phones trust.
    pub root_pem: String,
    councils: AtomicUsize,
}

/// A council with a clerk and a chair.
#[derive(Clone)]
pub struct Council {
    /// Its id.
    pub id: String,
    /// Its short name.
    pub slug: String,
    /// The clerk.
    pub clerk: Person,
    /// The second person.
    pub chair: Person,
    /// The topic of its push certificate.
    pub topic: String,
}

/// A register entry with its holder and the link to enrol by.
#[derive(Clone, Debug)]
pub struct Invited {
    /// The asset's id.
    pub asset: String,
    /// The asset's tag.
    pub tag: String,
    /// The holder's name.
    pub holder: String,
    /// The invitation's link.
    pub link: String,
}

/// What the holder of an Android phone is given to enrol it by.
#[derive(Clone, Debug)]
pub enum Offer {
    /// Google's link, for a phone in use.
    Link(String),
    /// The text of the code, for a phone in factory state.
    Code(String),
}

/// How many councils a town has room for: each needs a public address of its own, and loopback has plenty.
pub const COUNCILS: u8 = 4;

/// The settings of a server on loopback in `folder/data`, which wakes iPhones through `push` and Android phones through `google`.
pub fn settings(folder: &Path, push: &PushService, google: &GoogleCloud) -> Result<Config, Refusal> {
    let push_root = folder.join("push-service-root.pem");
    std::fs::write(&push_root, push.root_certificate_pem().map_err(trouble)?).map_err(trouble)?;
    let mut config = Config { data_folder: folder.join("data"), listen: Vec::new(), ..Config::default() };
    for last in 1..=COUNCILS {
        config.listen.push(([127, 0, 0, last], 0).into());
        config.tls.names.push(format!("127.0.0.{last}"));
    }
    config.tls.names.dedup();
    config.apns.url = push.url().parse().map_err(trouble)?;
    config.apns.extra_roots = vec![push_root];
    config.google.api_url = google.api_url().parse().map_err(trouble)?;
    config.google.pubsub_url = google.pubsub_url().parse().map_err(trouble)?;
    let vendor = push.mint_vendor_certificate().map_err(trouble)?;
    let (certificate, key) = (folder.join("vendor.pem"), folder.join("vendor-key.pem"));
    std::fs::write(&certificate, vendor.chain_pem).map_err(trouble)?;
    std::fs::write(&key, vendor.private_key_pem).map_err(trouble)?;
    config.vendor = VendorSettings { certificate: Some(certificate), key: Some(key) };
    Ok(config)
}

/// Writes the same settings as a file, for a server in a process of its own; ports are chosen now, so that they stay the
/// same over restarts. Gives the file and the public addresses.
pub fn write_settings(folder: &Path, config: &Config) -> Result<(PathBuf, Vec<String>), Refusal> {
    let taken: Vec<TcpListener> =
        config.listen.iter().map(TcpListener::bind).collect::<Result<_, _>>().map_err(trouble)?;
    let listen: Vec<String> = taken
        .iter()
        .map(|listener| listener.local_addr().map(|address| address.to_string()))
        .collect::<Result<_, _>>()
        .map_err(trouble)?;
    let database = config.database.url.as_ref().map_or_else(String::new, |url| format!("database.url = {url:?}\n"));
    let toml = format!(
        "data_folder = {:?}\nlisten = {listen:?}\n{database}log.level = \"warn\"\ntls.mode = \"self_signed\"\n\
         tls.names = {:?}\ngoogle.api_url = {:?}\ngoogle.pubsub_url = {:?}\napns.url = {:?}\napns.extra_roots = {:?}\nvendor.certificate = {:?}\nvendor.key = {:?}\n",
        config.data_folder,
        config.tls.names,
        config.google.api_url.as_str(),
        config.google.pubsub_url.as_str(),
        config.apns.url.as_str(),
        config.apns.extra_roots,
        config.vendor.certificate.as_deref().unwrap_or(Path::new("")),
        config.vendor.key.as_deref().unwrap_or(Path::new("")),
    );
    let file = folder.join("beadle.toml");
    std::fs::write(&file, toml).map_err(trouble)?;
    Ok((file, listen.iter().map(|address| format!("https://{address}")).collect()))
}

/// A server at its first start: nobody may sign in yet.
#[derive(Debug)]
pub struct Fresh {
    /// The server.
    pub server: Running,
    /// The set-up code, good once.
    pub code: String,
    /// Where it listens.
    pub addresses: Vec<String>,
    /// Apple's push service.
    pub push: PushService,
    /// Google's cloud.
    pub google: GoogleCloud,
    /// The time that they all live at.
    pub clock: Clock,
    root: PathBuf,
}

impl Fresh {
    /// Starts it with its data under `folder`, its settings changed by `change`.
    ///
    /// # Errors
    /// What hinders it.
    pub async fn start(folder: &Path, change: impl FnOnce(&mut Config)) -> Result<Self, Refusal> {
        let clock = Clock::default();
        // Apple and the phones live at the same time as the server, also when a test moves it.
        let push = PushService::start_with(same_time(&clock), ([127, 0, 0, 1], 0).into()).await.map_err(trouble)?;
        let google = GoogleCloud::start_with(CloudOptions { clock: same_time(&clock), ..CloudOptions::default() })
            .await
            .map_err(trouble)?;
        let mut config = settings(folder, &push, &google)?;
        change(&mut config);
        let server = serve::start(config, clock.clone()).await.map_err(trouble)?;
        let code = server.set_up_code.clone().ok_or_else(|| trouble("this was not the first start"))?;
        let addresses = server.addresses.iter().map(|address| format!("https://{address}")).collect();
        Ok(Self { server, code, addresses, push, google, clock, root: folder.join("data/tls/certificate.pem") })
    }

    /// The code that an authenticator app with this secret shows now.
    ///
    /// # Errors
    /// For what is no secret.
    pub fn code_of(&self, secret: &str) -> Result<String, Refusal> {
        let base = self.addresses.first().ok_or_else(|| trouble("no address"))?;
        Person::known(&Api::new(base, self.root_pem()?.as_str())?, "nobody", "", secret, &self.clock).code(0)
    }

    fn root_pem(&self) -> Result<String, Refusal> {
        std::fs::read_to_string(&self.root).map_err(trouble)
    }

    /// The town around it, once a provider with this sign-in has set it up.
    ///
    /// # Errors
    /// What hinders it.
    pub fn settled(self, login: &str, password: &str, secret: &str) -> Result<Town, Refusal> {
        let root_pem = self.root_pem()?;
        let base = self.addresses.first().ok_or_else(|| trouble("no address"))?;
        let api = Api::new(base, &root_pem)?;
        let provider = Person::known(&api, login, password, secret, &self.clock);
        Ok(Town {
            server: Some(self.server),
            addresses: self.addresses,
            push: self.push,
            google: self.google,
            clock: self.clock,
            api,
            provider,
            root_pem,
            councils: AtomicUsize::new(0),
        })
    }
}

impl Town {
    /// Starts everything in `folder` with `change` applied to the settings, and makes the provider's first operator.
    pub async fn start(folder: &Path, change: impl FnOnce(&mut Config)) -> Result<Self, Refusal> {
        let Fresh { server, code, addresses, push, google, clock, .. } = Fresh::start(folder, change).await?;
        let mut town = Self::settle(folder, addresses, &code, (push, google), clock).await?;
        town.server = Some(server);
        Ok(town)
    }

    /// Makes the provider's first operator on a server that was just started at `addresses` with its data under `folder`.
    pub async fn settle(
        folder: &Path,
        addresses: Vec<String>,
        set_up_code: &str,
        (push, google): (PushService, GoogleCloud),
        clock: Clock,
    ) -> Result<Self, Refusal> {
        let root_pem = std::fs::read_to_string(folder.join("data/tls/certificate.pem")).map_err(trouble)?;
        let base = addresses.first().ok_or_else(|| trouble("no address"))?;
        let api = Api::new(base, &root_pem)?;
        let made =
            api.post("/set-up", json!({ "code": set_up_code, "login": "provider", "name": "Pat Provider" })).await?;
        let provider = Person::first_sign_in(&api, "provider", &text(&made, "/initial_password")?, &clock).await?;
        Ok(Self {
            server: None,
            addresses,
            push,
            google,
            clock,
            api,
            provider,
            root_pem,
            councils: AtomicUsize::new(0),
        })
    }

    /// Adds a council with a preset, a clerk, a chair and a push certificate made the way Apple's portal makes it.
    pub async fn council(&self, slug: &str, name: &str, preset: &str) -> Result<Council, Refusal> {
        let provider = &self.provider.api;
        let made = provider
            .post(
                "/councils",
                json!({
                    "name": name, "slug": slug, "preset": preset, "time_zone": "Europe/London",
                    "public_url": self.public_url()?,
                }),
            )
            .await?;
        let id = text(&made, "/id")?;
        let mut people = Vec::new();
        for (role, person) in [("clerk", "Carol Clerk"), ("approver", "Charlie Chair")] {
            let login = format!("{role}-{slug}");
            let made = provider
                .post(&format!("/councils/{id}/operators"), json!({ "login": login, "name": person, "role": role }))
                .await?;
            let initial = text(&made, "/initial_password")?;
            people.push(Person::first_sign_in(&self.api, &login, &initial, &self.clock).await?);
        }
        let topic = self.push_certificate(provider, &id).await?;
        let (Some(chair), Some(clerk)) = (people.pop(), people.pop()) else { return Err(trouble("no people")) };
        Ok(Council { id, slug: slug.to_owned(), clerk, chair, topic })
    }

    /// The next unused address.
    fn public_url(&self) -> Result<String, Refusal> {
        let number = self.councils.fetch_add(1, Ordering::Relaxed);
        self.addresses.get(number).cloned().ok_or_else(|| trouble("the town has no room for another council"))
    }

    async fn push_certificate(&self, provider: &Api, council: &str) -> Result<String, Refusal> {
        let base = format!("/councils/{council}/apple/push-certificate");
        let request = provider.post(&format!("{base}/request"), json!({})).await?;
        let signed = self.push.portal_sign(&text(&request, "/vendor_signed_request")?, None).map_err(trouble)?;
        provider
            .post(
                &format!("{base}/import"),
                json!({ "certificate": signed.certificate_pem, "apple_account": "it@example.org" }),
            )
            .await?;
        Ok(signed.topic)
    }

    /// Registers an item for a new person, and invites that person to enrol it.
    pub async fn invite(
        &self,
        council: &Council,
        tag: &str,
        holder: &str,
        options: &PhoneOptions,
    ) -> Result<Invited, Refusal> {
        let clerk = &council.clerk.api;
        let person = clerk.post(&format!("/councils/{}/people", council.id), json!({ "name": holder })).await?;
        let asset = clerk
            .post(
                &format!("/councils/{}/assets", council.id),
                json!({
                    "tag": tag, "kind": "phone", "make": "Apple", "model": options.model, "platform": "apple",
                    "ownership": "council", "serial": options.serial, "imei": options.imei,
                    "phone_number": options.phone_number, "holders": [text(&person, "/id")?],
                }),
            )
            .await?;
        let asset = text(&asset, "/id")?;
        let invitation = clerk
            .post(
                &format!("/councils/{}/invitations", council.id),
                json!({
                    "asset": asset, "person": text(&person, "/id")?,
                    "mode": if options.supervised { "supervised" } else { "device" },
                }),
            )
            .await?;
        Ok(Invited { asset, tag: tag.to_owned(), holder: holder.to_owned(), link: text(&invitation, "/link")? })
    }

    /// A phone fresh from its box that trusts this server and listens to this push service.
    #[must_use]
    pub fn phone_options(&self, name: &str) -> PhoneOptions {
        let mut options = PhoneOptions::iphone(name);
        options.push = Some(self.push.clone());
        options.root_certificate_pem = Some(self.root_pem.clone());
        options.clock = same_time(&self.clock);
        options
    }

    /// Makes a phone, enrols it by the invitation's link, and lets it live by itself.
    pub async fn enrol(&self, invited: &Invited, options: PhoneOptions) -> Result<PhoneHandle, Refusal> {
        let mut phone = Phone::new(options).map_err(trouble)?;
        phone.enrol(&invited.link).await.map_err(trouble)?;
        Ok(phone.listen())
    }

    /// Connects the installation's project and a council to Google, the way its people do it.
    pub async fn connect_google(&self, council: &Council) -> Result<(), Refusal> {
        let key = self.google.service_account_key();
        self.provider.api.put("/google/project", json!({ "key_file": key })).await?;
        let sign_up = council.clerk.api.post(&format!("/councils/{}/google/sign-up", council.id), json!({})).await?;
        let back = self.google.console_completes_sign_up(&text(&sign_up, "/url")?, "the council").map_err(trouble)?;
        self.api.page(&back).await?;
        Ok(())
    }

    /// Registers an Android phone for a new person, and invites that person to enrol it.
    pub async fn invite_android(
        &self,
        council: &Council,
        tag: &str,
        holder: &str,
        mode: &str,
    ) -> Result<Invited, Refusal> {
        let clerk = &council.clerk.api;
        let person = clerk.post(&format!("/councils/{}/people", council.id), json!({ "name": holder })).await?;
        let ownership = if mode == "personal_work_profile" { "personal" } else { "council" };
        let asset = clerk
            .post(
                &format!("/councils/{}/assets", council.id),
                json!({
                    "tag": tag, "kind": "phone", "make": "Samsung", "model": "Galaxy", "platform": "android",
                    "ownership": ownership, "holders": [text(&person, "/id")?],
                }),
            )
            .await?;
        let asset = text(&asset, "/id")?;
        let invitation = clerk
            .post(
                &format!("/councils/{}/invitations", council.id),
                json!({ "asset": asset, "person": text(&person, "/id")?, "mode": mode }),
            )
            .await?;
        Ok(Invited { asset, tag: tag.to_owned(), holder: holder.to_owned(), link: text(&invitation, "/link")? })
    }

    /// The holder reads and accepts; gives the page with the code or link, as his browser shows it.
    pub async fn accept_on_android(&self, invited: &Invited) -> Result<String, Refusal> {
        let page = self.api.page(&invited.link).await?;
        let notice = between(&page, "name=\"notice\" value=\"", "\"").ok_or_else(|| trouble("no notice"))?;
        self.api.submit(&invited.link, &[("notice", &notice)]).await?;
        self.api.submit(&format!("{}/android", invited.link), &[]).await
    }

    /// Enrols an Android phone by the invitation: by its link where it is the holder's own, else by the code that the API shows.
    pub async fn enrol_android(
        &self,
        council: &Council,
        invited: &Invited,
        phone: &AndroidPhone,
    ) -> Result<(), Refusal> {
        match self.android_offer(council, invited).await? {
            Offer::Link(link) => phone.enrol_by_link(&self.google, &link).map_err(trouble)?,
            Offer::Code(code) => phone.enrol_by_qr(&self.google, &code).map_err(trouble)?,
        };
        Ok(())
    }

    /// What the holder of an Android phone is given after he accepted.
    pub async fn android_offer(&self, council: &Council, invited: &Invited) -> Result<Offer, Refusal> {
        let page = self.accept_on_android(invited).await?;
        if let Some(link) = between(&page, "href=\"https://enterprise.google.com", "\"") {
            let link = format!("https://enterprise.google.com{}", link.replace("&#38;", "&").replace("&amp;", "&"));
            return Ok(Offer::Link(link));
        }
        let invitations =
            council.clerk.api.get(&format!("/councils/{}/invitations?usable=true&limit=200", council.id)).await?;
        let id = invitations
            .pointer("/items")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .find(|item| item.get("asset").and_then(Value::as_str) == Some(invited.asset.as_str()))
            .ok_or_else(|| trouble("the invitation is not listed"))?;
        let code =
            council.clerk.api.post(&format!("/invitations/{}/android-code", text(id, "/id")?), json!({})).await?;
        Ok(Offer::Code(text(&code, "/text")?))
    }

    /// The device that belongs to an asset, as the API shows it.
    pub async fn device(&self, council: &Council, invited: &Invited) -> Result<Value, Refusal> {
        let asset = council.clerk.api.get(&format!("/assets/{}", invited.asset)).await?;
        let id = text(&asset, "/device/id")?;
        council.clerk.api.get(&format!("/devices/{id}")).await
    }
}

fn between(text: &str, before: &str, after: &str) -> Option<String> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found.to_owned())
}

/// Asks again and again until `wish` is true of the answer; the last answer is shown when that takes longer than `patience`.
pub async fn until(api: &Api, path: &str, patience: Duration, wish: impl Fn(&Value) -> bool) -> Result<Value, Refusal> {
    let started = Instant::now();
    loop {
        let answer = api.get(path).await?;
        if wish(&answer) {
            return Ok(answer);
        }
        if started.elapsed() > patience {
            return Err(trouble(format!("{path} did not become as wished: {answer}")));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
