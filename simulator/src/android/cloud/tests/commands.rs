//! Commands from being issued to their truthful, or untruthful, end.

use super::*;
use crate::android::phone::{AndroidOptions, Because, Behaviour, Lock, Visited};

const MANAGED: &str = "PERSONAL_USAGE_DISALLOWED";
const ALLOWED: &str = "PERSONAL_USAGE_ALLOWED";

impl Server {
    async fn issue(&self, device: &str, command: Value) -> String {
        let (status, operation) = self.post(&format!("/v1/{device}:issueCommand"), command).await;
        assert_eq!(status, 200, "{operation}");
        assert!(operation.get("done").is_none());
        operation["name"].as_str().unwrap().to_owned()
    }

    /// Issues a command, lets the phone do it, and gives the operation.
    async fn have_done(&self, phone: &AndroidPhone, device: &str, command: Value) -> Value {
        let operation = self.issue(device, command).await;
        phone.sync();
        self.get(&format!("/v1/{operation}")).await.1
    }

    async fn council() -> (Self, String) {
        let server = Self::new().await;
        let enterprise = server.enterprise("Germoe").await;
        server.policy(&enterprise, "p", json!({})).await;
        (server, enterprise)
    }
}

fn lost() -> Value {
    json!({ "type": "START_LOST_MODE", "duration": "7776000s", "startLostModeParams": {
        "lostOrganization": { "defaultMessage": "Germoe" }, "lostMessage": { "defaultMessage": "Please call" } } })
}

#[tokio::test]
async fn commands_are_judged() {
    let (server, enterprise) = Server::council().await;
    let phone = AndroidPhone::personal("Jenny");
    let device = server.personal(&enterprise, &phone).await;
    let path = format!("/v1/{device}:issueCommand");
    let reason = |length: usize| json!({ "type": "WIPE", "wipeParams": { "wipeReason": { "defaultMessage": "x".repeat(length) } } });
    for body in [
        json!({}),
        json!({ "type": "COMMAND_TYPE_UNSPECIFIED" }),
        json!({ "type": "ERASE" }),
        json!({ "type": "LOCK", "duration": "90d" }),
        json!({ "type": "LOCK", "duration": "0s" }),
        json!({ "type": "LOCK", "createTime": "2026-01-01T00:00:00Z" }),
        json!({ "type": "WIPE" }),
        json!({ "wipeParams": {} }),
        json!({ "type": "LOCK", "wipeParams": {} }),
        json!({ "type": "WIPE", "wipeParams": { "wipeDataFlags": ["EVERYTHING"] } }),
        reason(201),
        json!({ "type": "START_LOST_MODE" }),
        json!({ "type": "START_LOST_MODE", "startLostModeParams": { "lostOrganization": { "defaultMessage": "Germoe" } } }),
        json!({ "type": "CLEAR_APP_DATA", "clearAppsDataParams": {} }),
    ] {
        let shown = body.to_string();
        assert_eq!(server.post(&path, body).await.0, 400, "{shown}");
    }
    assert!(server.cloud.operations(&device).is_empty());
    assert_refused(
        server.post(&format!("/v1/{enterprise}/devices/none:issueCommand"), json!({ "type": "LOCK" })).await,
        404,
        "NOT_FOUND",
    );
    assert_eq!(server.post(&path, reason(200)).await.0, 200);
}

#[tokio::test]
async fn an_offline_phone_keeps_its_command_until_it_expires() {
    let (server, enterprise) = Server::council().await;
    let phone = AndroidPhone::personal("Jenny");
    let device = server.personal(&enterprise, &phone).await;
    phone.set_online(false);
    let short = server.issue(&device, json!({ "type": "LOCK" })).await;
    let long = server.issue(&device, json!({ "type": "LOCK", "duration": "7776000s" })).await;
    assert_eq!(phone.sync(), Visited::Offline);
    server.cloud.move_clock(Duration::from_secs(601));
    let (_, operation) = server.get(&format!("/v1/{short}")).await;
    assert_eq!((&operation["done"], &operation["error"]["code"]), (&json!(true), &json!(4)));
    let (_, operation) = server.get(&format!("/v1/{long}")).await;
    assert!(operation.get("done").is_none());
    assert_eq!(operation["metadata"]["duration"], "7776000s");
    phone.set_online(true);
    phone.sync();
    assert_eq!(phone.snapshot().commands("LOCK").len(), 1);
    assert!(phone.snapshot().screen_locked, "one lock for both");
    let (_, operation) = server.get(&format!("/v1/{long}")).await;
    assert!(operation["done"] == true && operation.get("error").is_none() && operation["response"].is_object());
    let (_, list) = server.get(&format!("/v1/{device}/operations?pageSize=1")).await;
    assert_eq!((list["operations"].as_array().unwrap().len(), list["nextPageToken"].is_string()), (1, true));
}

#[tokio::test]
async fn cancelling_works_until_the_phone_has_it() {
    let (server, enterprise) = Server::council().await;
    let phone = AndroidPhone::company("Office");
    let device = server.company(&enterprise, &phone, MANAGED).await;
    let wipe = json!({ "type": "WIPE", "wipeParams": {}, "duration": "7776000s" });
    let operation = server.issue(&device, wipe.clone()).await;
    assert_eq!(server.call("POST", &format!("/v1/{operation}:cancel"), None).await, (200, json!({})));
    let (_, cancelled) = server.get(&format!("/v1/{operation}")).await;
    assert_eq!((&cancelled["done"], &cancelled["error"]["code"]), (&json!(true), &json!(1)));
    assert!(cancelled["metadata"].get("errorCode").is_none());
    phone.sync();
    assert!(phone.snapshot().wipes().is_empty() && phone.snapshot().commands("WIPE").is_empty());
    phone.behave(Behaviour::ForgetCommand { kind: "LOCK".into(), times: 1 });
    let held = server.issue(&device, json!({ "type": "LOCK" })).await;
    phone.sync();
    assert_eq!(server.post(&format!("/v1/{held}:cancel"), json!({})).await.0, 200);
    server.cloud.move_clock(Duration::from_secs(3600));
    assert!(
        server.get(&format!("/v1/{held}")).await.1.get("done").is_none(),
        "the phone has it: neither cancelled nor expired"
    );
    assert_refused(server.call("POST", &format!("/v1/{device}/operations/1:cancel"), None).await, 404, "NOT_FOUND");
}

#[tokio::test]
async fn reboot_on_a_personal_phone_is_a_false_success() {
    let (server, enterprise) = Server::council().await;
    for (phone, allow, restarts, code) in [
        (AndroidPhone::personal("Jenny"), None, 0, None),
        (AndroidPhone::company("Office"), Some(MANAGED), 1, None),
        (AndroidPhone::company("Clerk"), Some(ALLOWED), 0, Some("MANAGEMENT_MODE")),
    ] {
        let device = match allow {
            None => server.personal(&enterprise, &phone).await,
            Some(allow) => server.company(&enterprise, &phone, allow).await,
        };
        let operation = server.have_done(&phone, &device, json!({ "type": "REBOOT" })).await;
        assert_eq!(operation["metadata"]["errorCode"].as_str(), code);
        assert_eq!(operation.get("error").is_some(), code.is_some());
        assert_eq!(phone.snapshot().restarts, restarts);
    }
}

#[tokio::test]
async fn lock_stays_in_the_profile_where_the_profile_has_a_lock_of_its_own() {
    let (server, enterprise) = Server::council().await;
    let own = AndroidOptions { work_lock: Some(Lock::pin(6)), ..AndroidOptions::personal("Jenny") };
    let old = AndroidOptions { work_lock: Some(Lock::pin(6)), ..AndroidOptions::company("Old") }.with_api_level(29);
    for (options, allow, screen, profile) in [
        (own, None, false, true),
        (AndroidOptions::personal("Sam"), None, true, false),
        (old, Some(ALLOWED), true, false),
        (AndroidOptions::company("Office"), Some(MANAGED), true, false),
    ] {
        let phone = AndroidPhone::new(options);
        let device = match allow {
            None => server.personal(&enterprise, &phone).await,
            Some(allow) => server.company(&enterprise, &phone, allow).await,
        };
        server.have_done(&phone, &device, json!({ "type": "LOCK" })).await;
        let state = phone.snapshot();
        assert_eq!((state.screen_locked, state.work_profile_locked), (screen, profile), "{}", state.name);
    }
}

#[tokio::test]
async fn lost_mode_depends_on_mode_and_version_and_says_why_not() {
    let (server, enterprise) = Server::council().await;
    for (level, allow, code) in [
        (29, Some(MANAGED), Some("API_LEVEL")),
        (30, Some(MANAGED), None),
        (32, Some(ALLOWED), Some("API_LEVEL")),
        (33, Some(ALLOWED), None),
        (35, None, Some("MANAGEMENT_MODE")),
    ] {
        let phone = AndroidPhone::new(match allow {
            Some(_) => AndroidOptions::company("c").with_api_level(level),
            None => AndroidOptions::personal("p"),
        });
        let device = match allow {
            None => server.personal(&enterprise, &phone).await,
            Some(allow) => server.company(&enterprise, &phone, allow).await,
        };
        let operation = server.have_done(&phone, &device, lost()).await;
        assert_eq!(operation["metadata"]["errorCode"].as_str(), code, "{level}");
        assert_eq!(phone.snapshot().lost_mode.is_some(), code.is_none());
    }
    let phone = AndroidPhone::company("Office");
    let device = server.company(&enterprise, &phone, MANAGED).await;
    let start = |operation: Value| operation["metadata"]["startLostModeStatus"]["status"].as_str().unwrap().to_owned();
    let stop = json!({ "type": "STOP_LOST_MODE", "stopLostModeParams": {} });
    let stopped = server.have_done(&phone, &device, stop.clone()).await;
    assert_eq!(stopped["metadata"]["stopLostModeStatus"]["status"], "NOT_IN_LOST_MODE");
    let first = server.have_done(&phone, &device, lost()).await;
    assert!(first.get("error").is_none());
    assert_eq!(start(first), "SUCCESS");
    assert_eq!(server.get(&format!("/v1/{device}")).await.1["appliedState"], "LOST");
    let second = server.have_done(&phone, &device, lost()).await;
    assert!(second["error"].is_object());
    assert_eq!(start(second), "ALREADY_IN_LOST_MODE");
    let stopped = server.have_done(&phone, &device, stop).await;
    assert_eq!(stopped["metadata"]["stopLostModeStatus"]["status"], "SUCCESS");
    server.have_done(&phone, &device, lost()).await;
    phone.leave_lost_mode();
    assert_eq!(start(server.have_done(&phone, &device, lost()).await), "USER_EXIT_LOST_MODE_RECENTLY");
    server.cloud.move_clock(Duration::from_secs(13 * 3600));
    server.have_done(&phone, &device, json!({ "type": "RESET_PASSWORD", "newPassword": "493817" })).await;
    assert_eq!(start(server.have_done(&phone, &device, lost()).await), "RESET_PASSWORD_RECENTLY");
}

#[tokio::test]
async fn reset_password_and_clear_app_data_answer_in_their_own_way() {
    let (server, enterprise) = Server::council().await;
    let phone = AndroidPhone::company("Office");
    let device = server.company(&enterprise, &phone, MANAGED).await;
    let short = server.have_done(&phone, &device, json!({ "type": "RESET_PASSWORD", "newPassword": "4938" })).await;
    assert_eq!(short["metadata"]["errorCode"], "INVALID_VALUE");
    let flags = json!({ "type": "RESET_PASSWORD", "newPassword": "493817", "resetPasswordFlags": ["LOCK_NOW"] });
    assert!(server.have_done(&phone, &device, flags).await.get("error").is_none());
    assert!(phone.snapshot().screen_locked);
    phone.install_app("com.example.minutes");
    let clear = json!({ "type": "CLEAR_APP_DATA", "clearAppsDataParams": { "packageNames": ["com.example.minutes", "com.example.none"] } });
    let cleared = server.have_done(&phone, &device, clear).await;
    let results = &cleared["metadata"]["clearAppsDataStatus"]["results"];
    // The policy lists no app, so that the app is gone again.
    assert_eq!(results["com.example.none"]["clearingResult"], "APP_NOT_FOUND");
    phone.behave(Behaviour::FailCommand { kind: "*".into(), error_code: "UNKNOWN".into(), times: 1 });
    let failed = server.have_done(&phone, &device, json!({ "type": "LOCK" })).await;
    assert_eq!((&failed["metadata"]["errorCode"], failed["error"].is_object()), (&json!("UNKNOWN"), true));
}

#[tokio::test]
async fn a_wipe_takes_the_whole_of_a_company_phone_and_the_profile_of_a_personal_one() {
    let (server, enterprise) = Server::council().await;
    let subscription = server.subscribe(&enterprise).await;
    for (phone, allow, whole) in [
        (AndroidPhone::personal("Jenny"), None, false),
        (AndroidPhone::company("Office"), Some(MANAGED), true),
        (AndroidPhone::company("Clerk"), Some(ALLOWED), true),
    ] {
        let device = match allow {
            None => server.personal(&enterprise, &phone).await,
            Some(allow) => server.company(&enterprise, &phone, allow).await,
        };
        let operation =
            server.issue(&device, json!({ "type": "WIPE", "wipeParams": {}, "duration": "7776000s" })).await;
        assert_eq!(phone.sync(), Visited::Gone);
        let state = phone.snapshot();
        let id = operation.rsplit('/').next().unwrap().to_owned();
        assert_eq!(state.wipes(), [(whole, &Because::Command(id))]);
        assert_eq!(state.personal_data, !whole, "{}", state.name);
        assert!(!state.work_data && state.device.is_none());
        assert_refused(server.get(&format!("/v1/{device}")).await, 404, "NOT_FOUND");
        let (_, list) = server.get(&format!("/v1/{enterprise}/devices")).await;
        assert_eq!(list, json!({}));
        assert_eq!(server.get(&format!("/v1/{operation}")).await.1["done"], true, "the operation stays");
        let messages = server.pull(&subscription).await;
        let last = messages.iter().rev().take(2).map(|(kind, data, _)| (kind.as_str(), data)).collect::<Vec<_>>();
        assert!(last[1].0 == "COMMAND" && last[1].1["done"] == true, "{last:?}");
        assert!(last[0].0 == "STATUS_REPORT" && last[0].1["appliedState"] == "DELETED", "{last:?}");
    }
    server.cloud.set_operations_vanish(true);
    let phone = AndroidPhone::personal("Sam");
    let device = server.personal(&enterprise, &phone).await;
    let operation = server.issue(&device, json!({ "type": "WIPE", "wipeParams": {} })).await;
    phone.sync();
    assert_refused(server.get(&format!("/v1/{operation}")).await, 404, "NOT_FOUND");
}

#[tokio::test]
async fn relinquishing_leaves_the_holder_everything_personal() {
    let (server, enterprise) = Server::council().await;
    let phone = AndroidPhone::company("Clerk");
    let device = server.company(&enterprise, &phone, ALLOWED).await;
    server.issue(&device, json!({ "type": "RELINQUISH_OWNERSHIP" })).await;
    assert_eq!(phone.sync(), Visited::Gone);
    assert!(phone.snapshot().personal_data && !phone.snapshot().work_data);
    assert_refused(server.get(&format!("/v1/{device}")).await, 404, "NOT_FOUND");
    let managed = AndroidPhone::company("Office");
    let device = server.company(&enterprise, &managed, MANAGED).await;
    let refused = server.have_done(&managed, &device, json!({ "type": "RELINQUISH_OWNERSHIP" })).await;
    assert_eq!(refused["metadata"]["errorCode"], "MANAGEMENT_MODE");
}

#[tokio::test]
async fn deleting_a_device_is_dropped_after_thirty_days() {
    let (server, enterprise) = Server::council().await;
    for (days, visited, wiped) in [(29, Visited::Gone, 1), (31, Visited::Unknown, 0)] {
        let phone = AndroidPhone::personal("Jenny");
        let device = server.personal(&enterprise, &phone).await;
        phone.set_online(false);
        let long = "x".repeat(201);
        assert_eq!(server.delete(&format!("/v1/{device}?wipeReasonMessage={long}")).await.0, 400);
        assert_eq!(server.delete(&format!("/v1/{device}?wipeDataFlags=NOTHING")).await.0, 400);
        assert_eq!(
            server.delete(&format!("/v1/{device}?wipeDataFlags=WIPE_ESIMS&wipeReasonMessage=Left")).await,
            (200, json!({}))
        );
        assert_refused(server.get(&format!("/v1/{device}")).await, 404, "NOT_FOUND");
        assert_refused(server.delete(&format!("/v1/{device}")).await, 404, "NOT_FOUND");
        server.cloud.move_clock(Duration::from_secs(days * 24 * 3600));
        phone.set_online(true);
        assert_eq!(phone.sync(), visited);
        assert_eq!(phone.snapshot().wipes().len(), wiped);
        assert_eq!(phone.snapshot().work_data, wiped == 0, "dropped: the council's data is still there");
    }
}
