//! How often one may try to sign in: counted in the database, per account and per address, across all instances.

use std::net::IpAddr;

use chrono::Duration;

use crate::error::{Error, Result};
use crate::keys::sha256_hex;
use crate::model::{Moment, SessionId};
use crate::store::sign_in_limits::SignInLimit;
use crate::store::{self, Transaction};

/// Tries that go together.
const WINDOW: Duration = Duration::minutes(15);
/// Failures of one account before it has to wait.
pub const PER_ACCOUNT: i64 = 5;
/// Failures from one address before it has to wait.
pub const PER_ADDRESS: i64 = 20;

/// The things that a try counts against.
#[derive(Clone, Debug)]
pub struct Subjects {
    account: String,
    address: Option<String>,
}

impl Subjects {
    /// For a login (which need not exist) and the address of the client; "local" is no address.
    #[must_use]
    pub fn new(login: &str, address: &str) -> Self {
        let network = address.parse::<IpAddr>().ok().map(|address| match address {
            IpAddr::V4(address) => address.to_string(),
            // Whoever has one IPv6 address has a whole /64.
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
        });
        Self {
            account: format!("account:{}", sha256_hex(login.as_bytes())),
            address: network.map(|network| format!("address:{network}")),
        }
    }

    /// For someone signed in who shows again who he is: his own tries alone, so that strangers who guess at his login, from
    /// wherever, do not keep him from approving.
    #[must_use]
    pub fn of_session(session: &SessionId) -> Self {
        Self { account: format!("confirm:{session}"), address: None }
    }

    /// For a passkey, known or not, and the address of the client.
    #[must_use]
    pub fn of_passkey(credential: &[u8], address: &str) -> Self {
        Self { account: format!("passkey:{}", sha256_hex(credential)), ..Self::new("", address) }
    }

    /// For the code on a holder's card, by its hash, and the address of whoever enters it.
    #[must_use]
    pub fn of_report_code(hash: &str, address: &str) -> Self {
        Self { account: format!("card:{hash}"), ..Self::new("", address) }
    }

    /// A try at a break-glass code: each code is a subject of its own, and so is the address.
    pub fn of_code(hash: &str, address: &str) -> Self {
        Self { account: format!("break-glass:{hash}"), ..Self::new("", address) }
    }
}

/// How one subject was counted, so that it can be taken back.
#[derive(Clone, Debug)]
struct Mark {
    subject: String,
    failures: i64,
    blocked_before: Option<Moment>,
    blocked_until: Option<Moment>,
}

/// A try that was counted.
#[derive(Clone, Debug)]
pub struct Counted {
    account: Mark,
    address: Option<Mark>,
}

impl Counted {
    /// How many tries of the account this made.
    #[must_use]
    pub fn tries(&self) -> i64 {
        self.account.failures
    }
}

/// Counts a try before it is looked at, so that many at once count too; refuses one that has to wait.
pub fn count(tx: &mut Transaction<'_>, subjects: &Subjects, now: Moment) -> Result<Counted> {
    let account = count_one(tx, &subjects.account, PER_ACCOUNT, now)?;
    let address = match &subjects.address {
        Some(address) => Some(count_one(tx, address, PER_ADDRESS, now)?),
        None => None,
    };
    Ok(Counted { account, address })
}

fn count_one(tx: &mut Transaction<'_>, subject: &str, most: i64, now: Moment) -> Result<Mark> {
    let mut limit = store::sign_in_limits::lock(tx, subject, now)?;
    if let Some(until) = limit.blocked_until.filter(|until| *until > now) {
        let seconds = (until - now).num_seconds() + 1;
        return Err(Error::TooMany { retry_after_seconds: u64::try_from(seconds).unwrap_or(1) });
    }
    let quiet_since = limit.blocked_until.unwrap_or(limit.window_start).max(limit.window_start);
    if now - quiet_since > WINDOW {
        limit.window_start = now;
        limit.failures = 0;
    }
    let blocked_before = limit.blocked_until;
    limit.failures += 1;
    limit.blocked_until = (limit.failures >= most).then(|| now + wait(limit.failures - most));
    store::sign_in_limits::update(tx, &limit)?;
    let SignInLimit { subject, failures, blocked_until, .. } = limit;
    Ok(Mark { subject, failures, blocked_before, blocked_until })
}

/// One minute after the last allowed failure, then twice as long each time, at most a quarter of an hour: long enough to
/// make guessing hopeless, short enough that nobody is locked out for the day by someone else's guesses.
fn wait(beyond: i64) -> Duration {
    let minutes = 1_i64.checked_shl(u32::try_from(beyond).unwrap_or(u32::MAX).min(5)).unwrap_or(32);
    Duration::minutes(minutes.min(15))
}

/// Takes back one try that was no failure.
pub fn uncount(tx: &mut Transaction<'_>, counted: &Counted, now: Moment) -> Result<()> {
    uncount_one(tx, &counted.account, PER_ACCOUNT, now)?;
    match &counted.address {
        Some(address) => uncount_one(tx, address, PER_ADDRESS, now),
        None => Ok(()),
    }
}

fn uncount_one(tx: &mut Transaction<'_>, mark: &Mark, most: i64, now: Moment) -> Result<()> {
    let limit = store::sign_in_limits::lock(tx, &mark.subject, now)?;
    let failures = (limit.failures - 1).max(0);
    // The wait that this very try began goes with it, however many failures there were before: they were waited for.
    let own_wait = mark.blocked_until.is_some() && limit.blocked_until == mark.blocked_until;
    let blocked_until = if own_wait { mark.blocked_before } else { limit.blocked_until.filter(|_| failures >= most) };
    store::sign_in_limits::update(tx, &SignInLimit { failures, blocked_until, ..limit })
}

/// Forgets the failures of an account that signed in, and takes back the try of its address.
pub fn succeeded(tx: &mut Transaction<'_>, counted: &Counted, now: Moment) -> Result<()> {
    store::sign_in_limits::delete(tx, &counted.account.subject)?;
    match &counted.address {
        Some(address) => uncount_one(tx, address, PER_ADDRESS, now),
        None => Ok(()),
    }
}

/// Forgets the failures of an account, whose password was reset.
pub fn forget(tx: &mut Transaction<'_>, login: &str) -> Result<()> {
    store::sign_in_limits::delete(tx, &Subjects::new(login, "").account)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::on_both;

    async fn tried(bench: &crate::testing::Bench, login: &'static str, address: &'static str) -> Result<i64> {
        let now = bench.clock.now();
        bench
            .database
            .write("try", move |tx| count(tx, &Subjects::new(login, address), now).map(|counted| counted.tries()))
            .await
    }

    #[tokio::test]
    async fn an_account_waits_longer_each_time_and_is_forgiven_in_time() {
        on_both(|bench| async move {
            for expected in 1..=5 {
                assert_eq!(tried(&bench, "clerk", "local").await.expect("allowed"), expected);
            }
            let refused = tried(&bench, "clerk", "local").await.expect_err("has to wait");
            assert!(matches!(refused, Error::TooMany { retry_after_seconds: 1..=61 }), "{refused}");
            tried(&bench, "chair", "local").await.expect("another account");
            bench.clock.advance(Duration::seconds(61));
            assert_eq!(tried(&bench, "clerk", "local").await.expect("allowed again"), 6);
            bench.clock.advance(Duration::seconds(61));
            tried(&bench, "clerk", "local").await.expect_err("two minutes now");
            bench.clock.advance(Duration::minutes(20));
            assert_eq!(tried(&bench, "clerk", "local").await.expect("a new window"), 1);
        })
        .await;
    }

    #[tokio::test]
    async fn an_address_is_counted_over_all_accounts_and_a_v6_network_is_one_address() {
        on_both(|bench| async move {
            for number in 0..20 {
                let address = if number % 2 == 0 { "2001:db8::1" } else { "2001:db8::ffff" };
                let logins = ["a", "b", "c", "d", "e", "f"];
                let login = logins.get(number % 6).copied().unwrap_or("a");
                tried(&bench, login, address).await.expect("allowed");
            }
            tried(&bench, "g", "2001:db8::2").await.expect_err("the network has to wait");
            tried(&bench, "g", "2001:db9::2").await.expect("another network");
        })
        .await;
    }

    #[tokio::test]
    async fn a_try_taken_back_leaves_no_wait_behind() {
        on_both(|bench| async move {
            for _ in 0..5 {
                tried(&bench, "clerk", "192.0.2.1").await.expect("allowed");
            }
            for login in ["a", "b", "c"] {
                for _ in 0..5 {
                    tried(&bench, login, "192.0.2.1").await.expect("allowed");
                }
            }
            tried(&bench, "clerk", "192.0.2.2").await.expect_err("the account waits");
            tried(&bench, "d", "192.0.2.1").await.expect_err("the address waits");
            // The wait is over; the password is right, and its code is still to come.
            bench.clock.advance(Duration::seconds(61));
            let now = bench.clock.now();
            let subjects = Subjects::new("clerk", "192.0.2.1");
            bench
                .database
                .write("take back", move |tx| {
                    let counted = count(tx, &subjects, now)?;
                    assert_eq!(counted.tries(), 6);
                    uncount(tx, &counted, now)
                })
                .await
                .expect("allowed");
            assert_eq!(tried(&bench, "clerk", "192.0.2.1").await.expect("nobody waits"), 6);
            tried(&bench, "clerk", "192.0.2.1").await.expect_err("the failures before still count");
        })
        .await;
    }

    #[tokio::test]
    async fn what_is_over_is_purged_and_a_wait_that_goes_on_is_not() {
        on_both(|bench| async move {
            for _ in 0..5 {
                tried(&bench, "guessed", "local").await.expect("allowed");
            }
            tried(&bench, "mistyped", "local").await.expect("allowed");
            // Guessing goes on: its window began long ago, its wait is new.
            for minutes in [2, 3, 5, 9] {
                bench.clock.advance(Duration::minutes(minutes));
                tried(&bench, "guessed", "local").await.expect("after its wait");
            }
            let now = bench.clock.now();
            let purged = bench
                .database
                .write("purge", move |tx| store::sign_in_limits::purge(tx, now - WINDOW, 500))
                .await
                .expect("purges");
            assert_eq!(purged, 1, "only what was mistyped once");
            tried(&bench, "guessed", "local").await.expect_err("still waits");
            bench.clock.advance(Duration::hours(1));
            let now = bench.clock.now();
            let purged = bench
                .database
                .write("purge", move |tx| store::sign_in_limits::purge(tx, now - WINDOW, 500))
                .await
                .expect("purges");
            assert_eq!(purged, 1);
        })
        .await;
    }
}
