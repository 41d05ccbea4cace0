//! The Apple door over HTTP: never 401, 503 when at fault, limits before buffering, and identities believed only when proven.

mod visits;

use std::sync::Arc;

use actix_web::body::to_bytes;
use actix_web::http::{Method, StatusCode, header};
use actix_web::{App as WebApp, test, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use beadle_enrollment::authority::{Authority, Serial};
use beadle_enrollment::invitation::Code;
use chrono::Duration;
use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::pkcs7::{Pkcs7, Pkcs7Flags};
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::stack::Stack;
use openssl::x509::{X509, X509Builder, X509NameBuilder};

use crate::app::App;
use crate::config::Config;
use crate::model::{AuthorityId, CommandKind, CouncilId, Mode};
use crate::operations::apple_test_bench::{
    alerts, command, enrolled, enrolment, everything, invite, keep_certificate, queue, sql,
};
use crate::sealing::Purpose;
use crate::store::authorities::AuthorityRow;
use crate::testing::{Bench, on_both};

fn app(bench: &Bench) -> App {
    App {
        database: bench.database.clone(),
        keys: Arc::clone(&bench.keys),
        clock: bench.clock.clone(),
        config: Arc::new(Config::default()),
        google: crate::google::Kept::default(),
        sightings: Arc::default(),
    }
}

macro_rules! serve {
    ($bench:expr) => {
        test::init_service(WebApp::new().app_data(web::Data::new(app(&$bench))).configure(super::configure)).await
    };
}

/// A key with a certificate; whose it is, the database says.
struct Identity {
    key: PKey<Private>,
    certificate: X509,
}

impl Identity {
    fn new() -> Self {
        let key = PKey::from_rsa(Rsa::generate(2048).expect("key")).expect("key");
        let mut name = X509NameBuilder::new().expect("name");
        name.append_entry_by_text("CN", "phone").expect("name");
        let name = name.build();
        let mut builder = X509Builder::new().expect("certificate");
        builder.set_subject_name(&name).expect("name");
        builder.set_issuer_name(&name).expect("name");
        builder.set_pubkey(&key).expect("key");
        builder.set_not_before(&Asn1Time::days_from_now(0).expect("time")).expect("time");
        builder.set_not_after(&Asn1Time::days_from_now(9).expect("time")).expect("time");
        builder.sign(&key, MessageDigest::sha256()).expect("signs");
        Self { key, certificate: builder.build() }
    }

    fn fingerprint(&self) -> String {
        beadle_enrollment::authority::fingerprint(&self.certificate.to_der().expect("DER"))
    }

    fn sign(&self, body: &[u8]) -> String {
        let flags = Pkcs7Flags::DETACHED | Pkcs7Flags::BINARY;
        let others = Stack::new().expect("stack");
        let signed = Pkcs7::sign(&self.certificate, &self.key, &others, body, flags).expect("signs");
        STANDARD.encode(signed.to_der().expect("DER"))
    }
}

fn plist(inside: &str) -> Vec<u8> {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><plist version=\"1.0\"><dict>{inside}</dict></plist>")
        .into_bytes()
}

fn put(url: &str, identity: &Identity, body: &[u8]) -> test::TestRequest {
    test::TestRequest::put().uri(url).insert_header(("Mdm-Signature", identity.sign(body))).set_payload(body.to_vec())
}

#[actix_web::test]
async fn no_url_of_a_device_ever_answers_401_and_a_fault_of_ours_is_503() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let service = serve!(bench);
        let stranger = Identity::new();
        let idle = plist("<key>Status</key><string>Idle</string><key>UDID</key><string>U</string>");
        let arrival = plist("<key>MessageType</key><string>Authenticate</string><key>UDID</key><string>U</string>");
        let code = Code::from_random([7; 16]);
        for broken in [false, true] {
            bench.database.set_broken(broken);
            for path in [
                format!("/mdm/{council}/check-in"),
                format!("/mdm/{council}/command"),
                "/mdm/nobody/check-in".to_owned(),
                "/mdm/nobody/command".to_owned(),
                format!("/scep/{council}?operation=PKIOperation"),
                format!("/scep/{council}?operation=GetCACert"),
                format!("/i/{code}"),
                format!("/i/{code}/beadle.mobileconfig"),
            ] {
                for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE] {
                    for body in [b"".to_vec(), idle.clone(), arrival.clone()] {
                        for signature in [None, Some("!".to_owned()), Some(stranger.sign(&body))] {
                            let signed = signature.is_some();
                            let mut request = test::TestRequest::default().method(method.clone()).uri(&path);
                            if let Some(signature) = signature {
                                request = request.insert_header(("Mdm-Signature", signature));
                            }
                            let answer =
                                test::call_service(&service, request.set_payload(body.clone()).to_request()).await;
                            let status = answer.status();
                            let body = to_bytes(answer.into_body()).await.unwrap_or_default();
                            assert_ne!(status, StatusCode::UNAUTHORIZED, "{method} {path}");
                            assert!(!status.is_success(), "{method} {path} {status}");
                            assert!(
                                !String::from_utf8_lossy(&body).contains("unrecognized"),
                                "{method} {path}: nothing may unenrol"
                            );
                            if path.starts_with("/mdm") && !signed {
                                assert!(status.is_client_error(), "{method} {path} {status}");
                            }
                        }
                    }
                }
            }
            if broken {
                for (url, body) in [("check-in", &arrival), ("command", &idle)] {
                    let request = put(&format!("/mdm/{council}/{url}"), &stranger, body);
                    let answer = test::call_service(&service, request.to_request()).await;
                    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "{url}");
                }
            }
        }
        bench.database.set_broken(false);
    })
    .await;
}

#[actix_web::test]
async fn a_body_is_limited_before_anything_of_it_is_looked_at() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let service = serve!(bench);
        for (url, size) in [("check-in", 512 * 1024 + 1), ("command", 4 * 1024 * 1024 + 1)] {
            let request = test::TestRequest::put().uri(&format!("/mdm/{council}/{url}")).set_payload(vec![b'x'; size]);
            let answer = test::call_service(&service, request.to_request()).await;
            assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE, "{url}");
            let told = test::TestRequest::put()
                .uri(&format!("/mdm/{council}/{url}"))
                .insert_header((header::CONTENT_LENGTH, "64000000"));
            let answer = test::call_service(&service, told.to_request()).await;
            assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE, "{url}: refused by what it says");
        }
    })
    .await;
}

#[actix_web::test]
async fn a_phone_polls_with_its_own_identity_and_nobody_elses() {
    on_both(|bench| async move {
        let (council, other) = (bench.council("germoe").await, bench.council("coreley").await);
        let phone = enrolled(&bench, &council, Mode::Supervised).await;
        let (own, stranger) = (Identity::new(), Identity::new());
        let later = bench.clock.now() + Duration::days(400);
        keep_certificate(&bench, &council, None, Some(&phone.id), later, &own.fingerprint()).await;
        let service = serve!(bench);
        let idle = plist("<key>Status</key><string>Idle</string>");
        let url = format!("/mdm/{council}/command");
        let get = |request: test::TestRequest| {
            let calling = test::call_service(&service, request.to_request());
            async {
                let answer = calling.await;
                let status = answer.status();
                (status, to_bytes(answer.into_body()).await.unwrap_or_default())
            }
        };
        assert_eq!(get(put(&url, &stranger, &idle)).await.0, StatusCode::FORBIDDEN);
        assert_eq!(get(put(&format!("/mdm/{other}/command"), &own, &idle)).await.0, StatusCode::FORBIDDEN);
        let forged = test::TestRequest::put()
            .uri(&url)
            .insert_header(("Mdm-Signature", own.sign(b"else")))
            .set_payload(idle.clone());
        assert_eq!(get(forged).await.0, StatusCode::FORBIDDEN);
        let unsigned = test::TestRequest::put().uri(&url).set_payload(idle.clone());
        assert_eq!(get(unsigned).await.0, StatusCode::BAD_REQUEST);

        let (status, body) = get(put(&url, &own, &idle)).await;
        assert_eq!((status, body.len()), (StatusCode::OK, 0));
        assert_eq!(enrolment(&bench, &own.fingerprint()).await.id, phone.id, "a renewed identity is adopted");
        let id = queue(&bench, &phone, command(CommandKind::DisableLostMode, 50, None)).await;
        let (status, body) = get(put(&url, &own, &idle)).await;
        let text = String::from_utf8_lossy(&body).into_owned();
        assert_eq!(status, StatusCode::OK);
        assert!(text.contains("DisableLostMode") && text.contains(id.as_str()), "{text}");
        let garbage = b"<plist><dict><key>Status</key><string>Acknowl";
        assert_eq!(get(put(&url, &own, garbage)).await.0, StatusCode::OK, "what cannot be read holds nothing up");
        let done = plist(&format!(
            "<key>Status</key><string>Acknowledged</string><key>CommandUUID</key><string>{}</string>",
            id.as_str().to_uppercase()
        ));
        let (status, body) = get(put(&url, &own, &done)).await;
        assert_eq!((status, body.len()), (StatusCode::OK, 0));

        let check_in = format!("/mdm/{council}/check-in");
        let incomplete = plist("<key>MessageType</key><string>TokenUpdate</string>");
        assert_eq!(get(put(&check_in, &own, &incomplete)).await.0, StatusCode::BAD_REQUEST);
        for kind in
            ["UserAuthenticate", "GetBootstrapToken", "SetBootstrapToken", "GetToken", "DeclarativeManagement", "?"]
        {
            let message = plist(&format!("<key>MessageType</key><string>{kind}</string>"));
            assert_eq!(get(put(&check_in, &own, &message)).await.0, StatusCode::BAD_REQUEST, "{kind}");
        }
    })
    .await;
}

async fn set_up(bench: &Bench, council: &CouncilId) {
    let now = bench.clock.now();
    let authority = Authority::create(
        "Germoe Parish Council",
        Serial::random().expect("serial"),
        now.utc(),
        (now + Duration::days(3650)).utc(),
    )
    .expect("authority");
    let id = AuthorityId::new();
    let sealed = bench
        .keys
        .sealer
        .seal(Purpose::AuthorityKey, council.as_str(), id.as_str(), &authority.private_key_der())
        .expect("seals");
    let row = AuthorityRow {
        council_id: council.clone(),
        id,
        certificate: authority.certificate_der(),
        sealed_key: sealed,
        not_before: now,
        not_after: now + Duration::days(3650),
        created_at: now,
    };
    bench.database.write("authority", move |tx| crate::store::authorities::insert(tx, &row)).await.expect("authority");
    sql(
        bench,
        &format!(
            "INSERT INTO push_certificates (council_id, id, state, topic, certificate_pem, sealed_key, not_after, created_at) \
             SELECT council_id, 'push', 'current', 'com.apple.mgmt.External.t', 'pem', sealed_key, \
             '2100-01-01 00:00:00', created_at FROM authorities WHERE council_id = '{council}'"
        ),
    );
}

#[actix_web::test]
async fn an_invitation_leads_to_a_signed_profile_only_once_it_is_accepted() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        set_up(&bench, &council).await;
        let (asset, invitation) = invite(&bench, &council, None, Mode::Supervised);
        let code = Code::from_random([9; 16]);
        sql(
            &bench,
            &format!("UPDATE invitations SET state = 'open', code_hash = '{}' WHERE id = '{invitation}'", code.hash()),
        );
        sql(&bench, &format!("UPDATE assets SET tag = 'GPC-7' WHERE id = '{asset}'"));
        let service = serve!(bench);
        let page = format!("/i/{}", code.grouped().to_lowercase());
        let profile = format!("/i/{code}/beadle.mobileconfig");
        let call = |request: test::TestRequest| {
            let calling = test::call_service(&service, request.to_request());
            async {
                let answer = calling.await;
                let (status, headers) = (answer.status(), answer.headers().clone());
                (status, headers, to_bytes(answer.into_body()).await.unwrap_or_default())
            }
        };
        let (_, headers, body) = call(test::TestRequest::get().uri(&profile)).await;
        assert_eq!(
            headers.get(header::CONTENT_TYPE).expect("type"),
            "text/html; charset=utf-8",
            "the notice comes first"
        );
        assert!(String::from_utf8_lossy(&body).contains("<form"));
        let (status, headers, body) = call(test::TestRequest::get().uri(&page)).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(headers.get(header::REFERRER_POLICY).expect("policy"), "no-referrer");
        let policy = headers.get(header::CONTENT_SECURITY_POLICY).expect("policy").to_str().expect("text");
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        insta::assert_snapshot!("landing_open", String::from_utf8_lossy(&body));
        let form = |notice: &'static str| test::TestRequest::post().uri(&page).set_form([("notice", notice)]);
        assert_eq!(call(form("0")).await.0, StatusCode::CONFLICT, "another notice was read");
        for _ in 0..2 {
            let (status, _, body) = call(form(crate::operations::enroll::NOTICE_VERSION)).await;
            assert_eq!(status, StatusCode::OK);
            assert!(String::from_utf8_lossy(&body).contains(&profile));
        }
        let (status, headers, body) = call(test::TestRequest::get().uri(&profile)).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(headers.get(header::CONTENT_TYPE).expect("type"), "application/x-apple-aspen-config");
        let signed = Pkcs7::from_der(&body).expect("CMS");
        assert!(signed.signed().is_some());
        assert!(String::from_utf8_lossy(&body).contains("com.apple.mgmt.External.t"));
        assert_eq!(alerts(&bench, &council, "identity_misused").await, 0);
        sql(&bench, &format!("UPDATE invitations SET state = 'used' WHERE id = '{invitation}'"));
        assert_eq!(call(test::TestRequest::get().uri(&profile)).await.0, StatusCode::GONE);
        assert_eq!(call(test::TestRequest::get().uri("/i/nonsense")).await.0, StatusCode::NOT_FOUND);
        let capabilities = call(test::TestRequest::get().uri(&format!("/scep/{council}?operation=GetCACaps"))).await;
        assert!(String::from_utf8_lossy(&capabilities.2).contains("POSTPKIOperation"));
        let certificate = call(test::TestRequest::get().uri(&format!("/scep/{council}?operation=GetCACert"))).await;
        assert_eq!(certificate.1.get(header::CONTENT_TYPE).expect("type"), "application/x-x509-ca-cert");
        assert!(X509::from_der(&certificate.2).is_ok());
        assert_eq!(
            call(test::TestRequest::get().uri("/scep/nobody?operation=GetCACert")).await.0,
            StatusCode::NOT_FOUND
        );
    })
    .await;
}

#[actix_web::test]
async fn a_misused_identity_is_told_at_its_first_poll_and_costs_no_write_afterwards() {
    on_both(|bench| async move {
        let (council, other) = (bench.council("germoe").await, bench.council("coreley").await);
        let phone = enrolled(&bench, &council, Mode::Supervised).await;
        let own = Identity::new();
        let later = bench.clock.now() + Duration::days(400);
        keep_certificate(&bench, &council, None, Some(&phone.id), later, &own.fingerprint()).await;
        let service = serve!(bench);
        let idle = plist("<key>Status</key><string>Idle</string>");
        let told = || async { alerts(&bench, &council, "identity_misused").await };
        for _ in 0..3 {
            let request = put(&format!("/mdm/{other}/command"), &own, &idle).to_request();
            let answer = test::call_service(&service, request).await;
            assert_eq!(answer.status(), StatusCode::FORBIDDEN);
            assert_eq!(told().await, 1);
        }
        let done = plist("<key>Status</key><string>Acknowledged</string><key>CommandUUID</key><string>x</string>");
        let request = put(&format!("/mdm/{other}/command"), &own, &done).to_request();
        assert_eq!(test::call_service(&service, request).await.status(), StatusCode::FORBIDDEN);
        let update = plist(
            "<key>MessageType</key><string>TokenUpdate</string><key>Token</key><data>AQ==</data>\
             <key>PushMagic</key><string>m</string>",
        );
        let request = put(&format!("/mdm/{other}/check-in"), &own, &update).to_request();
        assert_eq!(test::call_service(&service, request).await.status(), StatusCode::FORBIDDEN);
        assert_eq!(told().await, 1, "one certificate, one alert");
        sql(&bench, "DELETE FROM alerts");
        let request = put(&format!("/mdm/{other}/check-in"), &own, &update).to_request();
        assert_eq!(test::call_service(&service, request).await.status(), StatusCode::FORBIDDEN);
        assert_eq!(told().await, 1, "the check-in door tells of it, too");
    })
    .await;
}

#[actix_web::test]
async fn a_wrong_topic_is_400_and_never_403() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let phone = enrolled(&bench, &council, Mode::Supervised).await;
        let own = Identity::new();
        let later = bench.clock.now() + Duration::days(400);
        keep_certificate(&bench, &council, None, Some(&phone.id), later, &own.fingerprint()).await;
        let service = serve!(bench);
        let update = plist(
            "<key>MessageType</key><string>TokenUpdate</string><key>Token</key><data>AQ==</data>\
             <key>PushMagic</key><string>m</string><key>Topic</key><string>com.apple.mgmt.wrong</string>",
        );
        let request = put(&format!("/mdm/{council}/check-in"), &own, &update).to_request();
        assert_eq!(test::call_service(&service, request).await.status(), StatusCode::BAD_REQUEST);
        assert_eq!(alerts(&bench, &council, "topic_refused").await, 1);
    })
    .await;
}

#[actix_web::test]
async fn the_bypass_code_is_sealed_before_anything_else_sees_it() {
    on_both(|bench| async move {
        let council = bench.council("germoe").await;
        let phone = enrolled(&bench, &council, Mode::Supervised).await;
        let own = Identity::new();
        let later = bench.clock.now() + Duration::days(400);
        keep_certificate(&bench, &council, None, Some(&phone.id), later, &own.fingerprint()).await;
        let service = serve!(bench);
        let url = format!("/mdm/{council}/command");
        let answer = |id: &crate::model::CommandId, code: &str| {
            plist(&format!(
                "<key>Status</key><string>Acknowledged</string><key>CommandUUID</key><string>{id}</string>\
                 <key>ActivationLockBypassCode</key><string>{code}</string>"
            ))
        };
        let idle = plist("<key>Status</key><string>Idle</string>");
        let say = |body: Vec<u8>| {
            let calling = test::call_service(&service, put(&url, &own, &body).to_request());
            async { assert_eq!(calling.await.status(), StatusCode::OK) }
        };
        let asked = queue(&bench, &phone, command(CommandKind::ActivationLockBypassCode, 0, None)).await;
        say(idle.clone()).await;
        say(answer(&asked, "FIRST-CODE-7JD2")).await;
        // A code in the answer to something else is kept nowhere.
        let end = queue(&bench, &phone, command(CommandKind::DisableLostMode, 0, None)).await;
        let device = queue(&bench, &phone, command(CommandKind::DeviceInformation, 1, None)).await;
        say(idle.clone()).await;
        say(answer(&end, "STRAY-CODE-1")).await;
        say(answer(&device, "STRAY-CODE-2")).await;
        let again = queue(&bench, &phone, command(CommandKind::ActivationLockBypassCode, 0, None)).await;
        say(idle).await;
        say(answer(&again, " ")).await;
        let whole = everything(&bench);
        assert!(whole.contains("disable_lost_mode") && !whole.contains("CODE"), "a code in clear");
        let of = phone.device_id.clone();
        let (sealed, _) = bench
            .database
            .read("code", move |tx| {
                let device = crate::store::devices::find(tx, &of)?.expect("is there");
                crate::store::devices::bypass_code(tx, &device)
            })
            .await
            .expect("reads")
            .expect("kept");
        let (owner, row) = (council.as_str(), phone.device_id.as_str());
        let opened = bench.keys.sealer.open(Purpose::BypassCode, owner, row, &sealed).expect("opens");
        assert_eq!(opened.as_slice(), b"FIRST-CODE-7JD2", "an empty answer does not take its place");
    })
    .await;
}
