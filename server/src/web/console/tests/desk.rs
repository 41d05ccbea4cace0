//! Two councils with people and phones, and browsers for them.

use std::rc::Rc;
use std::sync::Arc;

use actix_web::dev::Service as _;
use actix_web::http::header::{HeaderMap, LOCATION, SET_COOKIE};
use actix_web::test::{TestRequest, init_service};
use actix_web::web;
use chrono::Duration;
use futures_util::future::LocalBoxFuture;

use crate::app::App;
use crate::config::Config;
use crate::keys::sha256_hex;
use crate::model::{Actor, AssetId, CouncilId, DeviceId, Mode, OperatorId, Role, SessionId};
use crate::operations::operators_tests::add;
use crate::operations::{passwords, second_factor};
use crate::store::sessions::Session;
use crate::store::{self, Transaction};
use crate::testing::Bench;
use crate::testing::phone::enrolled;
use crate::web::console::{form_token, guard};

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Answer {
    pub(super) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    pub(super) fn leads_to(&self) -> String {
        assert_eq!(self.status, 303, "{}", self.text);
        self.headers.get(LOCATION).and_then(|place| place.to_str().ok()).expect("a place").to_owned()
    }

    pub(super) fn has(self, words: &str) -> Self {
        assert!(self.text.contains(words), "{words:?} is not in {}", self.text);
        self
    }

    pub(super) fn lacks(self, words: &str) -> Self {
        assert!(!self.text.contains(words), "{words:?} is in {}", self.text);
        self
    }
}

type Serve = Rc<dyn Fn(TestRequest) -> LocalBoxFuture<'static, Answer>>;

/// The server without its sockets.
pub(super) async fn serve(app: &App) -> Serve {
    let routes = actix_web::App::new().app_data(web::Data::new(app.clone())).configure(crate::web::routes::configure);
    let service = Rc::new(init_service(routes).await);
    Rc::new(move |request| {
        let service = Rc::clone(&service);
        Box::pin(async move {
            let answer = match service.call(request.to_request()).await {
                Ok(answer) => answer.into_parts().1.map_into_boxed_body(),
                Err(error) => error.error_response(),
            };
            let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
            let bytes = actix_web::body::to_bytes(answer.into_body()).await.unwrap_or_default();
            Answer { status, headers, text: String::from_utf8_lossy(&bytes).into_owned() }
        })
    })
}

/// A browser with its cookies.
#[derive(Clone)]
pub(super) struct Browser {
    pub(super) serve: Serve,
    pub(super) app: App,
    pub(super) session: Option<String>,
    pub(super) visit: Option<String>,
    /// The seed of the authenticator app of whoever sits at it.
    pub(super) secret: String,
}

impl Browser {
    /// The code that the authenticator app shows now.
    pub(super) fn code(&self) -> String {
        second_factor::code_of(&self.secret, self.app.clock.now())
    }

    fn request(&self, path: &str) -> TestRequest {
        let mut cookies = Vec::new();
        if let Some(session) = &self.session {
            cookies.push(format!("__Host-beadle={session}"));
        }
        if let Some(visit) = &self.visit {
            cookies.push(format!("__Host-beadle-visit={visit}"));
        }
        let request = TestRequest::with_uri(path)
            .insert_header(("host", "phones.example"))
            .peer_addr("192.0.2.1:1000".parse().expect("an address"));
        if cookies.is_empty() { request } else { request.insert_header(("cookie", cookies.join("; "))) }
    }

    /// Keeps what a browser would keep, and sees that every page has its headers.
    fn keep(&mut self, path: &str, answer: Answer) -> Answer {
        let header = |name: &str| answer.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        assert_eq!(header("content-security-policy"), guard::POLICY, "{path}");
        assert_eq!(header("cache-control"), "no-store", "{path}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("referrer-policy"), "same-origin", "{path}");
        // What is no page is not run, whatever is in it.
        let page = if header("content-type").starts_with("text/html") { answer.text.as_str() } else { "" };
        assert!(!page.contains(" style=") && !page.contains("<style"), "{path} has styles of its own");
        let scripts = page.matches("<script").count();
        assert_eq!(scripts, page.matches("<script src=\"/console/files/").count(), "{path} has a script of its own");
        for cookie in answer.headers.get_all(SET_COOKIE).filter_map(|value| value.to_str().ok()) {
            let (pair, _) = cookie.split_once(';').expect("attributes");
            let (name, value) = pair.split_once('=').expect("a value");
            let value = Some(value.to_owned()).filter(|value| !value.is_empty());
            match name {
                "__Host-beadle" => self.session = value,
                "__Host-beadle-visit" => self.visit = value,
                other => panic!("an unknown cookie {other}"),
            }
        }
        answer
    }

    pub(super) async fn get(&mut self, path: &str) -> Answer {
        let answer = (self.serve)(self.request(path)).await;
        self.keep(path, answer)
    }

    /// Sends a form as it is, with whatever is in it.
    pub(super) async fn post(&mut self, path: &str, fields: &[(&str, &str)], site: &'static str) -> Answer {
        let request = self.request(path).method(actix_web::http::Method::POST);
        let answer = (self.serve)(request.insert_header(("sec-fetch-site", site)).set_form(fields)).await;
        self.keep(path, answer)
    }

    /// Sends a form as a person does: with the token that this session's pages have.
    pub(super) async fn send(&mut self, action: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.token(action);
        self.post(action, &with_token(fields, &token), "same-origin").await
    }

    /// The token that a page of this session has in a form that goes to `action`.
    pub(super) fn token(&self, action: &str) -> String {
        let binding = match (&self.session, &self.visit) {
            (Some(session), _) if !action.starts_with("/console/sign-in") && !action.starts_with("/lost") => {
                format!("session {}", sha256_hex(session.as_bytes()))
            }
            (_, Some(visit)) => format!("visit {visit}"),
            _ => "nobody".to_owned(),
        };
        form_token::issue(&self.app.keys, &binding, action, self.app.clock.now()).expect("a token")
    }
}

pub(super) fn with_token<'a>(fields: &[(&'a str, &'a str)], token: &'a str) -> Vec<(&'a str, &'a str)> {
    let mut all = vec![("form_token", token)];
    all.extend_from_slice(fields);
    all
}

/// A phone on the register and under management.
#[derive(Clone, Debug)]
pub(super) struct Phone {
    pub(super) asset: AssetId,
    pub(super) device: DeviceId,
    pub(super) tag: String,
}

pub(super) struct Desk {
    pub(super) bench: Bench,
    pub(super) app: App,
    pub(super) serve: Serve,
    pub(super) council: CouncilId,
    pub(super) clerk: Browser,
    pub(super) chair: Browser,
    pub(super) auditor: Browser,
    pub(super) stranger: Browser,
    pub(super) provider: Browser,
    pub(super) phone: Phone,
}

/// Everyone's password.
pub(super) const PASSWORD: &str = "tin mine tide";
/// A name as nobody would like to see it.
pub(super) const NASTY: &str = "<script>alert(1)</script>\" onload='x' \u{202e}evil\u{2066}";

impl Desk {
    pub(super) async fn new(bench: Bench) -> Self {
        let app = App {
            database: bench.database.clone(),
            keys: Arc::clone(&bench.keys),
            clock: bench.clock.clone(),
            config: Arc::new(Config::default()),
            google: crate::google::Kept::default(),
            sightings: Arc::default(),
        };
        let serve = serve(&app).await;
        let (council, other) = (bench.council("germoe").await, bench.council("coreley").await);
        let hash = passwords::hash(zeroize::Zeroizing::new(PASSWORD.to_owned())).await.expect("hashes");
        let mut people = Vec::new();
        for (login, role, of) in [
            ("clerk", Role::Clerk, Some(&council)),
            ("chair", Role::Approver, Some(&council)),
            ("auditor", Role::Auditor, Some(&council)),
            ("stranger", Role::Clerk, Some(&other)),
            ("provider", Role::Provider, None),
        ] {
            people.push(Self::operator(&app, &serve, &hash, login, role, of).await);
        }
        let [clerk, chair, auditor, stranger, provider] = <[Browser; 5]>::try_from(people).ok().expect("five");
        let phone = Self::phone(&bench, &council, "GPC-001", "Cllr Mary-Ann O'Brien", Mode::Supervised).await;
        // An account made before any device approves at once; these were, and have stood for years besides.
        Self { bench, app, serve, council, clerk, chair, auditor, stranger, provider, phone }
    }

    async fn operator(
        app: &App,
        serve: &Serve,
        hash: &str,
        login: &str,
        role: Role,
        council: Option<&CouncilId>,
    ) -> Browser {
        let (context, council, login) = (app.context(Actor::System), council.cloned(), login.to_owned());
        let token = format!("bs_{login}-{}", SessionId::new());
        let (kept, hash) = (token.clone(), hash.to_owned());
        let secret = app
            .database
            .write("an operator", move |tx| {
                let mut operator = add(tx, &context, council.as_ref(), &login, role)?;
                operator.must_change_password = false;
                operator.mfa_since = Some(context.now - Duration::days(300));
                operator.standing_since = context.now - Duration::days(300);
                let seed = second_factor::new_seed(&context.keys, &operator)?;
                operator.sealed_totp = Some(seed.sealed);
                operator.password_hash.clone_from(&hash);
                store::operators::update(tx, &operator)?;
                open(tx, &operator.id, &kept, context.now)?;
                Ok(seed.text.to_string())
            })
            .await
            .expect("an operator");
        Browser { serve: Rc::clone(serve), app: app.clone(), session: Some(token), visit: None, secret }
    }

    /// A phone with a tag and a holder.
    pub(super) async fn phone(bench: &Bench, council: &CouncilId, tag: &str, holder: &str, mode: Mode) -> Phone {
        let enrolment = enrolled(bench, council, mode, |_| {}).await;
        let (council, tag, holder, context) =
            (council.clone(), tag.to_owned(), holder.to_owned(), bench.context(Actor::System));
        bench
            .database
            .write("tag and holder", move |tx| {
                let device = store::devices::find(tx, &enrolment.device_id)?.expect("a device");
                let mut asset = store::assets::find(tx, &device.asset_id)?.expect("an asset");
                asset.tag.clone_from(&tag);
                asset.phone_number = Some("07700 900123".to_owned());
                asset.phone_digits = Some("32100900770".to_owned());
                store::assets::update(tx, &asset)?;
                let invitation = store::invitations::find(tx, &enrolment.invitation_id)?.expect("an invitation");
                let mut person = store::people::find(tx, &invitation.person_id)?.expect("a person");
                person.name.clone_from(&holder);
                store::people::update(tx, &person)?;
                store::custody::insert(
                    tx,
                    &store::custody::Custody {
                        council_id: council.clone(),
                        id: uuid::Uuid::now_v7().to_string(),
                        asset_id: asset.id.clone(),
                        person_id: person.id,
                        since: context.now,
                        until: None,
                    },
                )?;
                Ok(Phone { asset: asset.id, device: device.id, tag: tag.clone() })
            })
            .await
            .expect("a phone")
    }

    /// Someone who is not signed in.
    pub(super) fn nobody(&self) -> Browser {
        Browser {
            serve: Rc::clone(&self.serve),
            app: self.app.clone(),
            session: None,
            visit: None,
            secret: String::new(),
        }
    }

    /// Reports the phone lost; the case's address.
    pub(super) async fn lose(&mut self) -> String {
        let action = format!("/console/assets/{}/lost", self.phone.asset);
        self.clerk.send(&action, &[("reporter", "Mary"), ("place", "Penzance station")]).await.leads_to()
    }

    /// Asks for the lost phone to be erased; the order's address.
    pub(super) async fn ask(&mut self, case: &str) -> String {
        let fields = [("asset_tag", self.phone.tag.as_str()), ("reason", "Stolen, and it holds residents' letters.")];
        self.clerk.send(&format!("{case}/wipe"), &fields).await.leads_to()
    }

    /// How many audit rows of this kind the council has.
    pub(super) async fn recorded(&self, kind: &'static str) -> usize {
        let council = self.council.to_string();
        self.bench
            .database
            .read("audit", move |tx| {
                let rows = store::audit::rows_after(tx, &council, 0, 1000)?;
                Ok(rows.iter().filter(|row| row.kind == kind).count())
            })
            .await
            .expect("rows")
    }
}

fn open(tx: &mut Transaction<'_>, operator: &OperatorId, token: &str, now: crate::model::Moment) -> crate::Result<()> {
    store::sessions::insert(
        tx,
        &Session {
            id: SessionId::new(),
            operator_id: operator.clone(),
            token_hash: sha256_hex(token.as_bytes()),
            created_at: now,
            last_seen_at: now,
            expires_at: now + Duration::hours(12),
            mfa_at: Some(now),
            reauthenticated_at: Some(now),
            address: "192.0.2.1".to_owned(),
            agent: "test".to_owned(),
            revoked_at: None,
        },
    )
}
