//! Whatever it is given, the checker answers: it never panics, and it is never content with noise.

use plist::{Date, Dictionary, Value};
use proptest::prelude::*;

use super::{DEVICE, SUPERVISED, USER};
use crate::apple::schema::{check_check_in, check_command, check_profile, check_response, table::TABLE};

/// Names that lead deep into the schema, with some that lead nowhere.
fn names() -> impl Strategy<Value = String> {
    let mut names: Vec<String> = [
        "Command",
        "CommandUUID",
        "RequestType",
        "PayloadContent",
        "PayloadType",
        "MessageType",
        "Status",
        "ErrorChain",
        "Settings",
        "Queries",
        "Item",
        "Pages",
        "Subject",
        "SubjectAltName",
        "AccessRights",
        "EnrollmentID",
        "UDID",
        "Payload",
        "ANY",
        "",
    ]
    .map(str::to_owned)
    .to_vec();
    for entry in TABLE.profiles.values().flatten().chain(TABLE.commands.values()).chain(TABLE.check_ins.values()) {
        names.extend(entry.keys.keys().chain(entry.response.keys()).cloned());
    }
    names.extend(types());
    proptest::sample::select(names)
}

fn types() -> Vec<String> {
    let types = TABLE.profiles.keys().chain(TABLE.commands.keys()).chain(TABLE.check_ins.keys());
    types.cloned().collect()
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::Real),
        proptest::collection::vec(any::<u8>(), 0..40).prop_map(Value::Data),
        any::<u32>().prop_map(|seconds| {
            let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds.into());
            Value::Date(Date::from(time))
        }),
        names().prop_map(Value::String),
        ".{0,20}".prop_map(Value::String),
        any::<u64>().prop_map(|number| Value::Uid(plist::Uid::new(number))),
    ];
    leaf.prop_recursive(6, 60, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            proptest::collection::vec((names(), inner), 0..8)
                .prop_map(|keys| Value::Dictionary(keys.into_iter().collect::<Dictionary>())),
        ]
    })
}

fn named(key: &'static str) -> impl Strategy<Value = Value> {
    (values(), proptest::sample::select(types())).prop_map(move |(mut value, name)| {
        if let Value::Dictionary(keys) = &mut value {
            keys.insert(key.to_owned(), Value::String(name));
        }
        value
    })
}

fn wrapped(key: &'static str, value: Value) -> Value {
    Value::Dictionary(std::iter::once((key.to_owned(), value)).collect())
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(value in values(), name in names(), rights in any::<Option<u32>>()) {
        for device in [SUPERVISED, DEVICE, USER] {
            prop_assert!(!check_profile(&value, &device).is_empty());
            prop_assert!(!check_command(&value, &device, rights).is_empty());
        }
        let _ = check_check_in(&value);
        let _ = check_response(&name, &value);
    }

    #[test]
    fn nothing_inside_a_known_type_makes_it_panic(
        payload in named("PayloadType"),
        request in named("RequestType"),
        message in named("MessageType"),
        rights in any::<Option<u32>>(),
    ) {
        let profile = wrapped("PayloadContent", Value::Array(vec![payload]));
        let command = wrapped("Command", request);
        for device in [SUPERVISED, DEVICE, USER] {
            for violation in check_profile(&profile, &device).iter().chain(&check_command(&command, &device, rights)) {
                prop_assert!(!violation.to_string().is_empty());
            }
        }
        let _ = check_check_in(&message);
    }
}
