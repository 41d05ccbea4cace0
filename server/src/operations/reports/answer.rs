//! A stored answer turned back into the property list it was.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use beadle_profiles::apple::report::Reported;
use serde_json::Value;

use crate::error::Result;
use crate::model::CommandKind;
use crate::store::reports::Report;

/// JSON to property list: `{"data": "base64"}` is data; what a property list cannot hold is left out.
pub(super) fn to_plist(value: &Value) -> Option<plist::Value> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(yes) => plist::Value::Boolean(*yes),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(integer), ..) => plist::Value::Integer(integer.into()),
            (None, Some(integer), _) => plist::Value::Integer(integer.into()),
            (None, None, Some(real)) => plist::Value::Real(real),
            (None, None, None) => return None,
        },
        Value::String(text) => plist::Value::String(text.clone()),
        Value::Array(entries) => plist::Value::Array(entries.iter().filter_map(to_plist).collect()),
        Value::Object(fields) => {
            let data = (fields.len() == 1).then(|| fields.get("data")).flatten().and_then(Value::as_str);
            match data.and_then(|text| STANDARD.decode(text).ok()) {
                Some(bytes) => plist::Value::Data(bytes),
                None => plist::Value::Dictionary(dictionary(fields)),
            }
        }
    })
}

fn dictionary(fields: &serde_json::Map<String, Value>) -> plist::Dictionary {
    fields.iter().filter_map(|(name, value)| Some((name.clone(), to_plist(value)?))).collect()
}

/// The dictionary under `key`; a device that sends something else has not answered.
fn dictionary_of(answer: &Value, key: &str) -> Option<plist::Dictionary> {
    answer.get(key).and_then(Value::as_object).map(dictionary)
}

/// The profiles that a ProfileList answer lists.
pub(super) fn profiles_of(answer: &Value) -> Option<Vec<plist::Dictionary>> {
    let entries = answer.get("ProfileList")?.as_array()?;
    Some(entries.iter().filter_map(|entry| entry.as_object().map(dictionary)).collect())
}

/// Everything that was reported, as the judgement takes it.
pub(super) fn reported(reports: &[Report]) -> Result<Reported> {
    let mut reported = Reported::default();
    for report in reports {
        let answer: Value = serde_json::from_str(&report.answer)?;
        match report.kind.parse::<CommandKind>() {
            Ok(CommandKind::DeviceInformation) => {
                reported.device_information = dictionary_of(&answer, "QueryResponses");
            }
            Ok(CommandKind::SecurityInfo) => reported.security_info = dictionary_of(&answer, "SecurityInfo"),
            Ok(CommandKind::ProfileList) => reported.profile_list = profiles_of(&answer),
            _ => {}
        }
    }
    Ok(reported)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_becomes_the_property_list_it_was() {
        let json = serde_json::json!({
            "QueryResponses": { "BatteryLevel": 0.5, "IsSupervised": true, "Token": { "data": "AQI=" }, "Big": u64::MAX },
            "Odd": { "data": "not base64!" }, "Null": null,
        });
        let plist = to_plist(&json).expect("a dictionary");
        let whole = plist.as_dictionary().expect("a dictionary");
        let inner = whole.get("QueryResponses").and_then(plist::Value::as_dictionary).expect("inside");
        assert_eq!(inner.get("Token").and_then(plist::Value::as_data), Some([1, 2].as_slice()));
        assert_eq!(inner.get("Big").and_then(plist::Value::as_unsigned_integer), Some(u64::MAX));
        assert_eq!(inner.get("IsSupervised").and_then(plist::Value::as_boolean), Some(true));
        assert!(whole.get("Odd").is_some_and(|odd| odd.as_dictionary().is_some()));
        assert!(!whole.contains_key("Null"));
    }
}
