//! The crate as the server uses it, tried with messages made independently of it and checked with the openssl command line.

#![expect(clippy::unwrap_used, reason = "what a test prepares itself either works or the test fails")]

mod apple;
mod authority;
mod device;
mod mdm_signature;
mod openssl_command;
mod push_certificate;
mod scep;

use beadle_enrollment::authority::{Authority, IssueRequest, IssuedCertificate, Serial};
use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use std::sync::LazyLock;

/// The moment at which every test happens; the openssl command line is told about it too.
fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 1, 12, 0, 0).unwrap()
}

fn new_authority(name: &str, serial: u8) -> Authority {
    Authority::create(
        name,
        Serial::from_random([serial; 16]),
        now() - TimeDelta::days(1),
        now() + TimeDelta::days(3650),
    )
    .unwrap()
}

static GERMOE: LazyLock<Authority> = LazyLock::new(|| new_authority("Germoe Parish Council", 1));
static CORELEY: LazyLock<Authority> = LazyLock::new(|| new_authority("Coreley Parish Council", 2));

fn issue(authority: &Authority, public_key_der: &[u8], serial: u8) -> IssuedCertificate {
    authority
        .issue(&IssueRequest {
            common_name: "01890000-0000-7000-8000-000000000001",
            organization: Some("Germoe Parish Council"),
            serial: Serial::from_random([serial; 16]),
            not_before: now() - TimeDelta::minutes(5),
            not_after: now() + TimeDelta::days(365),
            public_key_der,
            uri: Some("urn:uuid:01890000-0000-7000-8000-000000000001"),
        })
        .unwrap()
}
