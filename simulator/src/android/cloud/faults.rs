//! What a test can make go wrong between a server and Google, how often, and for which calls; and a seeded mode at random.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Something that goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Answers this status with Google's usual words; nothing was done.
    Answer(u16),
    /// Does what was asked, then answers this status all the same.
    AnswerAfter(u16),
    /// Never answers; nothing was done.
    Hang,
    /// Does what was asked and never answers.
    HangAfter,
    /// Resets the connection; nothing was done.
    Reset,
    /// Does what was asked, then resets the connection: the answer is lost.
    ResetAfter,
    /// Waits, then does and answers as usual.
    Slow(Duration),
    /// Does what was asked at once and answers later: events overtake the answer.
    AnswerLate(Duration),
}

/// How often a fault happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Times {
    /// For so many calls.
    Next(u32),
    /// Until cleared.
    Always,
}

/// Faults at random, the same for the same seed and order of calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RandomFaults {
    /// Where the random sequence starts.
    pub seed: u64,
    /// How many calls in a thousand go wrong.
    pub per_thousand: u32,
    /// Which calls, as in [`super::GoogleCloud::set_fault`].
    pub calls: String,
    /// What happens to them, each as likely as the others.
    pub faults: Vec<Fault>,
}

impl RandomFaults {
    /// Everything that happens on a bad day, to one call in ten.
    pub fn bad_day(seed: u64) -> Self {
        Self {
            seed,
            per_thousand: 100,
            calls: "*".into(),
            faults: vec![
                Fault::Answer(429),
                Fault::Answer(408),
                Fault::Answer(500),
                Fault::Answer(503),
                Fault::AnswerAfter(500),
                Fault::AnswerAfter(503),
                Fault::Hang,
                Fault::HangAfter,
                Fault::Reset,
                Fault::ResetAfter,
                Fault::Slow(Duration::from_millis(200)),
                Fault::AnswerLate(Duration::from_millis(200)),
            ],
        }
    }
}

#[derive(Default)]
pub(crate) struct Faults {
    rules: Vec<Rule>,
    random: Option<(RandomFaults, u64)>,
}

struct Rule {
    calls: String,
    fault: Fault,
    times: Times,
}

impl Faults {
    pub(crate) fn add(&mut self, calls: &str, fault: Fault, times: Times) {
        self.rules.push(Rule { calls: calls.to_owned(), fault, times });
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
        self.random = None;
    }

    pub(crate) fn set_random(&mut self, random: Option<RandomFaults>) {
        // Zero would stay zero for ever.
        self.random = random.map(|random| (random.clone(), random.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1));
    }

    /// The fault for a call, if any; the oldest rule comes first, and a spent one is forgotten.
    pub(crate) fn take(&mut self, call: &str, path: &str) -> Option<Fault> {
        self.rules.retain(|rule| rule.times != Times::Next(0));
        if let Some(rule) = self.rules.iter_mut().find(|rule| concerns(&rule.calls, call, path)) {
            if let Times::Next(left) = &mut rule.times {
                *left -= 1;
            }
            return Some(rule.fault);
        }
        let (random, state) = self.random.as_mut()?;
        if !concerns(&random.calls, call, path) {
            return None;
        }
        let per_thousand = next(state) % 1000;
        let pick = usize::try_from(next(state)).unwrap_or_default();
        (per_thousand < u64::from(random.per_thousand) && !random.faults.is_empty())
            .then(|| random.faults.get(pick % random.faults.len()).copied())
            .flatten()
    }
}

/// Whether a pattern means a call: `*`, a call's name, the beginning of names before a `*`, or a part of the path after a `/`.
fn concerns(pattern: &str, call: &str, path: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => call.starts_with(beginning),
        None if pattern.starts_with('/') => path.contains(pattern),
        None => call == pattern,
    }
}

/// Xorshift: enough for choosing faults, and the same everywhere.
pub(crate) fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state >> 1
}
