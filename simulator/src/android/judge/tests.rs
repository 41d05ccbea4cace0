//! The judge sees what is wrong, whichever of its two sources it judges by, and has no complaint about what is right.

use serde_json::{Value, json};

use super::*;
use crate::android::schema::TABLE;

/// By the committed table, and by Google's document where it is at hand.
fn judges() -> Vec<Judge> {
    let mut judges = vec![Judge::new(Document::from_table(&TABLE))];
    let at_hand = Document::at_hand().expect("readable");
    if at_hand.source == judges[0].document().source {
        eprintln!("Google's discovery document is not beside the repository: judged by the committed table only");
    } else {
        judges.push(Judge::new(at_hand));
    }
    judges
}

const DEVICE: &str = "/v1/enterprises/LC1/devices/d1";
const POLICY: &str = "/v1/enterprises/LC1/policies/p1";

fn body(judge: &Judge, method: &str, path: &str, body: &Value) -> Vec<String> {
    judge.request(method, path, &[], body.to_string().as_bytes())
}

#[test]
fn right_requests_pass() {
    for judge in judges() {
        let wipe = json!({
            "type": "WIPE", "duration": "7776000s", "wipeParams": { "wipeDataFlags": ["WIPE_EXTERNAL_STORAGE"] },
        });
        assert_eq!(body(&judge, "POST", &format!("{DEVICE}:issueCommand"), &wipe), Vec::<String>::new());
        let policy = json!({
            "maximumTimeToLock": "300000", "passwordPolicies": [{ "passwordMinimumLength": 6 }], "minimumApiLevel": 33,
            "openNetworkConfiguration": { "NetworkConfigurations": [] },
        });
        assert_eq!(body(&judge, "PATCH", POLICY, &policy), Vec::<String>::new());
        let query = [("pageSize".to_owned(), "100".to_owned()), ("pageToken".to_owned(), "a".to_owned())];
        assert_eq!(judge.request("GET", "/v1/enterprises/LC1/devices", &query, b""), Vec::<String>::new());
        let flags = ["PRESERVE_RESET_PROTECTION_DATA", "WIPE_EXTERNAL_STORAGE"];
        let query = flags.map(|flag| ("wipeDataFlags".to_owned(), flag.to_owned()));
        assert_eq!(judge.request("DELETE", DEVICE, &query, b""), Vec::<String>::new());
        let cancel = format!("{DEVICE}/operations/7:cancel");
        assert_eq!(judge.request("POST", &cancel, &[], b"{}"), Vec::<String>::new());
    }
}

#[test]
fn each_wrong_body_is_caught() {
    for judge in judges() {
        for (what, policy) in [
            ("an unknown field", json!({ "maximumTimeToLok": "300000" })),
            ("a number for an int64", json!({ "maximumTimeToLock": 300_000 })),
            ("too long a number", json!({ "maximumTimeToLock": "9223372036854775808" })),
            ("text for a number", json!({ "minimumApiLevel": "33" })),
            ("more than 32 bits", json!({ "minimumApiLevel": 2_147_483_648_i64 })),
            ("an unknown word", json!({ "cameraAccess": "CAMERA_OFF" })),
            ("a deprecated field", json!({ "passwordRequirements": {} })),
            ("a deprecated word", json!({ "locationMode": "HIGH_ACCURACY" })),
            ("what Google writes", json!({ "dpcLastActivity": "2026-11-04T00:00:00Z", "version": "7" })),
            ("a duration in days", json!({ "passwordPolicies": [{ "passwordExpirationTimeout": "90d" }] })),
            ("null", json!({ "cameraAccess": null })),
            ("one for many", json!({ "passwordPolicies": { "passwordMinimumLength": 6 } })),
            ("a list for a body", json!([])),
        ] {
            let found = body(&judge, "PATCH", POLICY, &policy);
            assert!(!found.is_empty(), "{what} passes: {}", judge.document().source);
        }
    }
}

#[test]
fn each_wrong_request_is_caught() {
    for judge in judges() {
        let ask = |method: &str, path: &str, query: &[(&str, &str)], body: &[u8]| {
            let query: Vec<_> = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            judge.request(method, path, &query, body)
        };
        for (what, found) in [
            ("a call there is not", ask("POST", &format!("{DEVICE}:explode"), &[], b"{}")),
            ("a method there is not", ask("PUT", DEVICE, &[], b"")),
            ("a parameter there is not", ask("GET", DEVICE, &[("x", "1")], b"")),
            ("text for a number", ask("GET", "/v1/enterprises/LC1/devices", &[("pageSize", "all")], b"")),
            ("a name twice", ask("PATCH", POLICY, &[("updateMask", "a"), ("updateMask", "b")], b"{}")),
            ("a mask of nothing", ask("PATCH", POLICY, &[("updateMask", "a,,b")], b"{}")),
            ("an unknown flag", ask("DELETE", DEVICE, &[("wipeDataFlags", "ALL")], b"")),
            ("a body where none belongs", ask("GET", DEVICE, &[], b"{\"a\":1}")),
            ("no body", ask("POST", &format!("{DEVICE}:issueCommand"), &[], b"")),
            ("no JSON", ask("POST", &format!("{DEVICE}:issueCommand"), &[], b"type=WIPE")),
        ] {
            assert!(!found.is_empty(), "{what} passes: {}", judge.document().source);
        }
    }
}

#[test]
fn google_may_write_what_a_caller_must_not() {
    for judge in judges() {
        let signed_up = json!({ "name": "signupUrls/1", "url": "https://example.org" });
        assert_eq!(judge.message("SignupUrl", &signed_up, By::Google), Vec::<String>::new());
        let device = json!({ "appliedPolicyVersion": 17 });
        assert_eq!(judge.message("Device", &device, By::Google).len(), 1);
        assert_eq!(judge.message("Nothing", &device, By::Google).len(), 1);
    }
}

#[test]
fn every_message_and_method_compiles() {
    for judge in judges() {
        for name in judge.document().schemas.keys() {
            for by in [By::Caller, By::Google] {
                let found = judge.message(name, &json!({}), by);
                assert!(found.iter().all(|problem| problem.starts_with(':')), "{name}: {found:?}");
            }
        }
        let wanted: &[(&str, &str)] = &[("POST", "/v1/signupUrls"), ("POST", "/v1/enterprises"), ("GET", DEVICE)];
        for (method, path) in wanted {
            assert!(judge.document().method(method, path).is_some(), "{method} {path}");
        }
    }
}
