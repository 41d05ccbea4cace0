//! How long a call is tried: few attempts, growing waits with jitter, an end in sight.

use std::time::{Duration, Instant};

use super::failure::Failure;

/// Whether a call may be made a second time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Doing it twice is the same as doing it once.
    Safe,
    /// Doing it twice does it twice: repeated only where it certainly was not done.
    Once,
    /// It destroys: one proof, one attempt. Whoever wants another shows a proof of that moment.
    Never,
}

/// All the times of the client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// How often a call is tried.
    pub(super) attempts: u32,
    /// The wait after the first attempt; it doubles.
    pub(super) first_wait: Duration,
    /// No wait is longer; when Google asks for more, the caller is told instead.
    pub(super) longest_wait: Duration,
    /// No attempt begins later than this after the first.
    pub(super) last_start: Duration,
    /// How long a connection may take.
    pub(super) connect: Duration,
    /// How long one attempt may take, connection included.
    pub(super) call: Duration,
    /// How long one fetch of notifications may take: Google holds it until there are some.
    pub(super) pull: Duration,
}

impl Patience {
    /// What the world gets.
    pub(super) const REAL: Self = Self {
        attempts: 4,
        first_wait: Duration::from_secs(1),
        longest_wait: Duration::from_secs(10),
        last_start: Duration::from_secs(60),
        connect: Duration::from_secs(10),
        call: Duration::from_secs(30),
        pull: Duration::from_secs(100),
    };

    /// How long to wait after attempt number `made` of a call that began at `begun`; Google asked for `after`.
    ///
    /// # Errors
    /// [`Failure::Again`] where it was the last.
    pub(super) fn wait(
        &self,
        begun: Instant,
        made: u32,
        after: Option<Duration>,
        problem: String,
    ) -> Result<Duration, Failure> {
        let wait = after.unwrap_or_default().max(self.jittered(made));
        let asked_too_much = after.is_some_and(|after| after > self.longest_wait);
        if made >= self.attempts || asked_too_much || begun.elapsed() + wait > self.last_start {
            return Err(Failure::Again { after, problem });
        }
        Ok(wait)
    }

    /// Between half of the doubled wait and all of it.
    fn jittered(&self, made: u32) -> Duration {
        let doubled = self.first_wait.saturating_mul(1 << made.saturating_sub(1).min(16)).min(self.longest_wait);
        let mut random = [0; 2];
        // Without randomness the wait is merely not spread.
        let _ = openssl::rand::rand_bytes(&mut random);
        doubled / 2 + (doubled / 2).mul_f64(f64::from(u16::from_be_bytes(random)) / f64::from(u16::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_are_spread_and_end() {
        let patience = Patience { longest_wait: Duration::from_secs(3), ..Patience::REAL };
        let begun = Instant::now();
        for (made, least, most) in [(1, 500, 1000), (2, 1000, 2000), (3, 1500, 3000)] {
            let waits: Vec<u128> = (0..50)
                .map(|_| patience.wait(begun, made, None, String::new()).expect("another").as_millis())
                .collect();
            assert!(waits.iter().all(|wait| (least..=most).contains(wait)), "{made}: {waits:?}");
            assert!(waits.iter().any(|wait| *wait != waits[0]), "spread");
        }
        assert!(patience.wait(begun, 4, None, String::new()).is_err(), "the fourth is the last");
        let after = Some(Duration::from_secs(3));
        assert!(patience.wait(begun, 1, after, String::new()).expect("another") >= Duration::from_secs(3));
    }

    #[test]
    fn who_is_asked_for_a_long_pause_is_told_rather_than_held() {
        let after = Some(Duration::from_secs(11));
        let told = Patience::REAL.wait(Instant::now(), 1, after, "429".to_owned());
        assert!(matches!(told, Err(Failure::Again { after: Some(_), .. })), "{told:?}");
    }
}
