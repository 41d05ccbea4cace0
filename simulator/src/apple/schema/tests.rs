//! Makes each kind of mistake once and asks whether the checker sees it, and sees nothing where there is none.

mod messages;
mod profiles;
mod random;

use plist::{Dictionary, Value};

use super::{Device, Mode, Problem, Source, Violation};

const SUPERVISED: Device = device(Mode::Supervised);
const DEVICE: Device = device(Mode::Device);
const USER: Device = device(Mode::User);

const fn device(mode: Mode) -> Device {
    Device { mode, ios: (18, 1), source: Source::Mdm }
}

/// A dictionary of these keys.
fn dictionary<const N: usize>(keys: [(&str, Value); N]) -> Value {
    let keys = keys.into_iter().map(|(key, value)| (key.to_owned(), value));
    Value::Dictionary(keys.collect::<Dictionary>())
}

/// A dictionary with one more key, or another value for it.
fn with(mut value: Value, key: &str, inner: impl Into<Value>) -> Value {
    let keys = value.as_dictionary_mut().expect("a dictionary");
    keys.insert(key.to_owned(), inner.into());
    value
}

/// A dictionary without that key.
fn without(mut value: Value, key: &str) -> Value {
    value.as_dictionary_mut().expect("a dictionary").remove(key).expect("the key was there");
    value
}

#[track_caller]
fn assert_fine(found: &[Violation]) {
    let words: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(words.is_empty(), "{}", words.join("\n"));
}

/// That this, and nothing else, was found.
#[track_caller]
fn assert_only(found: &[Violation], path: &str, problem: &Problem) {
    let expected = Violation { path: path.to_owned(), problem: problem.clone() };
    assert_eq!(found, [expected]);
}
