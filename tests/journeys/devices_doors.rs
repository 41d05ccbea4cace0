//! Whatever reaches a door for devices, and in whatever state the server is: nothing answers 401, which would end
//! management on the phone for good.

use beadle_server::demo::Town;
use beadle_simulator::apple::phone::{Channel, Phone};
use beadle_tests::on_both;
use reqwest::{Client, Method};

use crate::nanomdm::{idle, xml};

struct Knock {
    what: String,
    method: Method,
    url: String,
    signature: Option<String>,
    body: Vec<u8>,
}

fn client(town: &Town) -> Client {
    let root = reqwest::Certificate::from_pem(town.root_pem.as_bytes()).expect("a root");
    Client::builder().tls_certs_merge([root]).build().expect("a client")
}

/// The answer's status; `None` when the server hung up on a body that is too large before it was sent.
async fn knock(client: &Client, knock: &Knock) -> Option<u16> {
    let mut request = client.request(knock.method.clone(), &knock.url).body(knock.body.clone());
    if let Some(signature) = &knock.signature {
        request = request.header("Mdm-Signature", signature);
    }
    let answer = request.send().await.ok()?;
    let status = answer.status().as_u16();
    let body = answer.text().await.unwrap_or_default();
    assert!(!body.contains("com.apple.unrecognized.device"), "{} tells the phone to leave", knock.what);
    Some(status)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_door_for_devices_ever_answers_401() {
    on_both(async |town: &Town| {
        let council = town.council("germoe", "Germoe Parish Council", "germoe").await.expect("a council");
        let other = town.council("coreley", "Coreley Parish Council", "coreley").await.expect("a council");
        let options = town.phone_options("Ann's iPhone");
        let invited = town.invite(&council, "GPC-001", "Ann Angove", &options).await.expect("invited");
        let fresh =
            town.invite(&council, "GPC-002", "Ben Bosanko", &town.phone_options("Ben's")).await.expect("invited");
        let mut phone = Phone::new(options).expect("a phone");
        phone.enrol(&invited.link).await.expect("enrols");
        phone.poll().await.expect("polls");
        let identity = phone.identity().expect("an identity").clone();
        let management = phone.management().expect("managed").clone();
        let idle = xml(&idle(&phone));
        let signature = phone.sign(&identity, &idle).expect("signs");
        let garbage = b"\x00\xffnot a property list".to_vec();
        let over_garbage = phone.sign(&identity, &garbage).expect("signs");
        let base = town.addresses.first().expect("an address");
        let elsewhere = |url: &str| url.replace(&council.id, &other.id);

        let mut doors = Vec::new();
        for (name, url) in [("check-in", &management.check_in_url), ("command", &management.server_url)] {
            assert!(url.contains(&council.id), "{url} names the council");
            for method in [Method::PUT, Method::POST] {
                let add = |what: &str, url: String, signature: Option<String>, body: Vec<u8>| Knock {
                    what: format!("{method} {name}, {what}"),
                    method: method.clone(),
                    url,
                    signature,
                    body,
                };
                doors.push(add("no signature", url.clone(), None, idle.clone()));
                doors.push(add("an empty signature", url.clone(), Some(String::new()), idle.clone()));
                doors.push(add("a signature that is none", url.clone(), Some("bm9uZQ==".to_owned()), idle.clone()));
                doors.push(add("another body's signature", url.clone(), Some(over_garbage.clone()), idle.clone()));
                doors.push(add("another council", elsewhere(url), Some(signature.clone()), idle.clone()));
                doors.push(add(
                    "no council",
                    url.replace(&council.id, "nowhere"),
                    Some(signature.clone()),
                    idle.clone(),
                ));
                doors.push(add("an empty body", url.clone(), Some(signature.clone()), Vec::new()));
                doors.push(add("too large a body", url.clone(), Some(signature.clone()), vec![b'x'; 5 * 1024 * 1024]));
                doors.push(add("garbage", url.clone(), Some(over_garbage.clone()), garbage.clone()));
            }
        }
        let signed_garbage_is_answered =
            |what: &str| what.starts_with("PUT command, garbage") || what.starts_with("POST command, garbage");
        let scep = format!("{base}/scep");
        let plain = |what: &str, method: Method, url: String, body: &[u8]| Knock {
            what: format!("{method} {what}"),
            method,
            url,
            signature: None,
            body: body.to_vec(),
        };
        for (what, council) in [("SCEP", council.id.as_str()), ("SCEP of no council", "nowhere")] {
            for operation in ["", "?operation=PKIOperation", "?operation=PKIOperation&message=AAAA", "?operation=Other"]
            {
                doors.push(plain(
                    &format!("{what} {operation}"),
                    Method::GET,
                    format!("{scep}/{council}{operation}"),
                    b"",
                ));
                doors.push(plain(
                    &format!("{what} {operation}"),
                    Method::POST,
                    format!("{scep}/{council}{operation}"),
                    &garbage,
                ));
            }
            doors.push(plain(
                what,
                Method::POST,
                format!("{scep}/{council}?operation=PKIOperation"),
                &vec![b'x'; 100_000],
            ));
            doors.push(plain(what, Method::DELETE, format!("{scep}/{council}"), b""));
        }
        for path in ["/i/nothing", "/i/", "/i/AAAA/beadle.mobileconfig", "/mdm", "/mdm/x/y/z", "/scep"] {
            for method in [Method::GET, Method::POST, Method::PUT] {
                doors.push(plain(path, method, format!("{base}{path}"), &garbage));
            }
        }
        doors.push(plain("an invitation, garbage", Method::POST, fresh.link.clone(), &garbage));
        doors.push(plain(
            "an invitation, too large a body",
            Method::POST,
            fresh.link.clone(),
            &vec![b'x'; 3 * 1024 * 1024],
        ));

        let client = client(town);
        let mut faults = Vec::new();
        for door in &doors {
            match knock(&client, door).await {
                Some(401) => faults.push(format!("{}: 401", door.what)),
                // A device that signs rightly and writes nonsense is known all the same: its queue goes on.
                Some(200) if signed_garbage_is_answered(&door.what) => {}
                Some(status) if status < 400 => faults.push(format!("{}: let through with {status}", door.what)),
                Some(status) if status >= 500 => {
                    faults.push(format!("{}: {status} though nothing is broken", door.what))
                }
                None if door.body.len() < 50_000 => faults.push(format!("{}: no answer", door.what)),
                _ => {}
            }
        }

        let database = &town.server.as_ref().expect("the server").app.database;
        database.set_broken(true);
        for door in &doors {
            match knock(&client, door).await {
                Some(401) => faults.push(format!("{}, without a database: 401", door.what)),
                None if door.body.len() < 50_000 => {
                    faults.push(format!("{}, without a database: no answer", door.what))
                }
                _ => {}
            }
        }
        let without = [
            Knock {
                what: "a poll".to_owned(),
                method: Method::PUT,
                url: management.server_url.clone(),
                signature: Some(signature.clone()),
                body: idle.clone(),
            },
            plain(
                "the authority's certificate",
                Method::GET,
                format!("{scep}/{}?operation=GetCACert", council.id),
                b"",
            ),
            plain("an invitation", Method::GET, fresh.link.clone(), b""),
            plain("a profile", Method::GET, format!("{}/beadle.mobileconfig", fresh.link), b""),
        ];
        for door in &without {
            let got = knock(&client, door).await;
            if got != Some(503) {
                faults.push(format!("{} without a database: {got:?} instead of 503", door.what));
            }
        }
        let told = phone.authenticate_message().expect("a message");
        let reply = phone.send(Channel::CheckIn, &told).await.expect("an answer");
        assert_eq!(reply.status, 503, "Authenticate without a database");
        database.set_broken(false);

        assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
        let outcome = phone.poll().await.expect("polls");
        assert_eq!(outcome.end, beadle_simulator::apple::phone::PollEnd::Empty);
        assert!(phone.snapshot().enrolled, "the phone is still under management");
    })
    .await;
}
