//! Tokens, codes, links and modes, with texts in Google's form and with anything else.

use proptest::prelude::*;
use serde_json::json;

use super::*;

const ENTERPRISE: &str = "enterprises/LC01";

fn mark() -> Binding {
    Binding::from_random(&[7; 32])
}

#[test]
fn each_mode_gets_its_token() {
    let all: Vec<Value> = Mode::ALL
        .into_iter()
        .map(|mode| {
            serde_json::to_value(TokenRequest::new(ENTERPRISE, mode, TimeDelta::days(30), &mark())).expect("JSON")
        })
        .collect();
    insta::assert_json_snapshot!(all);
}

#[test]
fn a_token_lasts_neither_too_long_nor_too_short() {
    let lasts = |mode, asked| TokenRequest::new(ENTERPRISE, mode, asked, &mark()).lasts();
    assert_eq!(lasts(Mode::FullyManaged, TimeDelta::days(7)), CODE_LASTS);
    assert_eq!(lasts(Mode::CompanyWorkProfile, TimeDelta::minutes(20)), TimeDelta::minutes(20));
    assert_eq!(lasts(Mode::PersonalWorkProfile, TimeDelta::days(3)), TimeDelta::days(3));
    assert_eq!(lasts(Mode::PersonalWorkProfile, TimeDelta::days(30)), LINK_LASTS_AT_MOST);
    assert_eq!(lasts(Mode::PersonalWorkProfile, TimeDelta::seconds(-5)), SHORTEST);
}

#[test]
fn a_mark_comes_back_and_is_not_shown() {
    let mark = mark();
    assert_eq!(mark.as_str(), "beadle1.BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc");
    assert!(mark.as_str().len() <= 1024, "Google's limit");
    assert_eq!(Binding::parse(mark.as_str()).map(|back| back.hash()), Some(mark.hash()));
    assert_eq!(format!("{mark:?}"), "Binding(secret)");
    let request = TokenRequest::new(ENTERPRISE, Mode::FullyManaged, CODE_LASTS, &mark);
    assert!(!format!("{request:?}").contains("beadle1"));
    for not_ours in [
        "",
        "beadle1.",
        "beadle2.BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc",
        "beadle1.BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBw%",
    ] {
        assert_eq!(Binding::parse(not_ours), None, "{not_ours}");
    }
}

#[test]
fn googles_two_words_are_one_mode() {
    assert_eq!(mode_of("COMPANY_OWNED", "DEVICE_OWNER"), Some(Mode::FullyManaged));
    assert_eq!(mode_of("COMPANY_OWNED", "PROFILE_OWNER"), Some(Mode::CompanyWorkProfile));
    assert_eq!(mode_of("PERSONALLY_OWNED", "PROFILE_OWNER"), Some(Mode::PersonalWorkProfile));
    for (ownership, mode) in [
        ("PERSONALLY_OWNED", "DEVICE_OWNER"),
        ("OWNERSHIP_UNSPECIFIED", "PROFILE_OWNER"),
        ("COMPANY_OWNED", "MANAGEMENT_MODE_UNSPECIFIED"),
        ("", ""),
    ] {
        assert_eq!(mode_of(ownership, mode), None, "{ownership} {mode}");
    }
}

#[test]
fn what_was_meant_is_compared_with_what_is() {
    use Comparison::{Agrees, FallsShort, OtherCompanyMode, ReachesFurther, Unknown};
    use Mode::{CompanyWorkProfile as Cope, FullyManaged as Full, PersonalWorkProfile as Own};
    for (invited, reported, expected) in [
        (Full, Full, Agrees),
        (Full, Cope, OtherCompanyMode),
        (Full, Own, FallsShort),
        (Cope, Full, OtherCompanyMode),
        (Cope, Cope, Agrees),
        (Cope, Own, FallsShort),
        (Own, Full, ReachesFurther),
        (Own, Cope, ReachesFurther),
        (Own, Own, Agrees),
    ] {
        let comparison = compare(invited, Some(reported));
        assert_eq!(comparison, expected, "{invited:?} {reported:?}");
        assert_eq!(comparison.disagrees(), invited != reported);
        assert!(!comparison.words().is_empty());
    }
    assert_eq!(compare(Own, None), Unknown);
    assert!(Unknown.disagrees(), "what is not known is not agreed");
}

#[test]
fn a_link_carries_the_token_whatever_is_in_it() {
    assert_eq!(*personal_link("KSYJMWCH"), "https://enterprise.google.com/android/enroll?et=KSYJMWCH");
    assert_eq!(*personal_link("a&b= é"), "https://enterprise.google.com/android/enroll?et=a%26b%3D%20%C3%A9");
}

/// A code in Google's form, spaces and all.
const QR_CODE: &str = "{\"android.app.extra.PROVISIONING_DEVICE_ADMIN_COMPONENT_NAME\":\
    \"com.google.android.apps.work.clouddpc/.receivers.CloudDeviceAdminReceiver\", \
    \"android.app.extra.PROVISIONING_ADMIN_EXTRAS_BUNDLE\":{\
    \"com.google.android.apps.work.clouddpc.EXTRA_ENROLLMENT_TOKEN\":\"KSYJMWCH\"}}\n";

fn wifi(ssid: &str, passphrase: &str) -> Wifi {
    Wifi::new(ssid, WifiSecurity::Passphrase(Zeroizing::new(passphrase.to_owned()))).expect("a network")
}

#[test]
fn googles_code_stays_as_it_is_and_the_wifi_is_added() {
    assert_eq!(*code_text(QR_CODE, None).expect("a code"), QR_CODE);
    let with = code_text(QR_CODE, Some(&wifi("Village \"Hall\"", "back\\slash \"quoted\""))).expect("one");
    assert!(with.starts_with(QR_CODE.trim_end().trim_end_matches('}')));
    insta::assert_json_snapshot!(serde_json::from_str::<Value>(&with).expect("JSON"));
    let open = Wifi::new("Café", WifiSecurity::Open).expect("a network");
    let open: Value = serde_json::from_str(&code_text("{}", Some(&open)).expect("a code")).expect("JSON");
    assert_eq!(
        open,
        json!({
            "android.app.extra.PROVISIONING_WIFI_SSID": "Café",
            "android.app.extra.PROVISIONING_WIFI_SECURITY_TYPE": "NONE",
        })
    );
    assert!(!format!("{:?}", wifi("Hall", "password1")).contains("password1"));
}

#[test]
fn what_is_no_code_and_no_network_is_refused() {
    for text in ["", "[]", "null", "{", "{} x"] {
        assert!(code_text(text, None).is_err(), "{text}");
    }
    let twice = code_text(r#"{"android.app.extra.PROVISIONING_WIFI_SSID":"x"}"#, Some(&wifi("Hall", "password1")));
    assert!(twice.is_err());
    let passphrase = |text: &str| WifiSecurity::Passphrase(Zeroizing::new(text.to_owned()));
    for (ssid, security) in [
        ("", WifiSecurity::Open),
        ("a\nb", WifiSecurity::Open),
        ("a name of more than thirty-two bytes", WifiSecurity::Open),
        ("Hall", passphrase("short")),
        ("Hall", passphrase("with an é in it")),
        ("Hall", passphrase(&"z".repeat(64))),
    ] {
        assert!(Wifi::new(ssid, security).is_err(), "{ssid:?}");
    }
    assert!(Wifi::new("Hall", passphrase(&"a".repeat(64))).is_ok(), "64 hexadecimal digits are a key");
}

proptest! {
    #[test]
    fn any_name_and_passphrase_come_through(ssid in "\\PC{1,16}", passphrase in "[ -~]{8,63}") {
        prop_assume!(ssid.len() <= 32);
        let text = code_text(QR_CODE, Some(&wifi(&ssid, &passphrase))).expect("a code");
        let read: Value = serde_json::from_str(&text).expect("JSON");
        prop_assert_eq!(&read["android.app.extra.PROVISIONING_WIFI_SSID"], &json!(ssid));
        prop_assert_eq!(&read["android.app.extra.PROVISIONING_WIFI_PASSWORD"], &json!(passphrase));
        prop_assert_eq!(read.as_object().expect("an object").len(), 5);
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,60}") {
        let _ = (code_text(&text, Some(&wifi("Hall", "password1"))), Binding::parse(&text), personal_link(&text));
    }

    #[test]
    fn every_mark_is_recognised_and_its_own(one: [u8; 32], other: [u8; 32]) {
        let mark = Binding::from_random(&one);
        prop_assert_eq!(mark.as_str().len(), 51);
        prop_assert_eq!(Binding::parse(mark.as_str()), Some(mark.clone()));
        prop_assert_eq!(mark.hash() == Binding::from_random(&other).hash(), one == other);
    }
}
