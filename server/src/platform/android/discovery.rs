//! Google's discovery document as a judge of what is sent: the judge is the simulator's, a JSON Schema validator that is not ours.

use beadle_simulator::android::judge::{By, JUDGE, Judge};
use serde_json::Value;

/// The document, or the committed table of it where it is not at hand.
pub(super) struct Discovery(&'static Judge);

impl Discovery {
    /// Does `work` with the document.
    pub(super) fn with(work: impl FnOnce(&Self)) {
        work(&Self(JUDGE.as_ref().expect("a document that can be read")));
    }

    /// The words of an enumeration, without the one that stands for nothing.
    pub(super) fn words(&self, schema: &str, field: &str) -> Vec<&str> {
        let field = &self.0.document().schema(schema).expect("a message")["properties"][field];
        let words = field.get("enum").or_else(|| field["items"].get("enum")).expect("an enumeration");
        let words = words.as_array().expect("a list").iter().filter_map(Value::as_str);
        words.filter(|word| !word.ends_with("_UNSPECIFIED")).collect()
    }

    /// What is wrong with `value` as a `schema`. What Google itself says may hold fields that are its own to write.
    pub(super) fn problems(&self, schema: &str, value: &Value, from_google: bool) -> Vec<String> {
        self.0.message(schema, value, if from_google { By::Google } else { By::Caller })
    }

    /// What is wrong with a request: the method, its parameters, its body.
    pub(super) fn request_problems(
        &self,
        method: &str,
        path: &str,
        query: &[(String, String)],
        body: &[u8],
    ) -> Vec<String> {
        self.0.request(method, path, query, body)
    }
}

#[test]
fn the_judge_sees_what_is_wrong() {
    Discovery::with(|discovery| {
        let command = serde_json::json!({
            "type": "LOOK", "duration": "90d", "createTime": 7, "nonsense": 1, "wipeParams": { "wipeDataFlags": ["ALL"] },
            "startLostModeStatus": { "status": "SUCCESS" },
        });
        let problems = discovery.problems("Command", &command, false).join("\n");
        for name in ["/type", "/duration", "nonsense", "/wipeParams/wipeDataFlags/0"] {
            assert!(problems.contains(name), "{name}: {problems}");
        }
        assert!(!discovery.problems("Device", &serde_json::json!({ "appliedPolicyVersion": 17 }), true).is_empty());
        let path = "/v1/enterprises/LC01/devices/3a";
        let problems = discovery.request_problems("GET", path, &[("x".into(), "1".into())], b"{\"a\":1}");
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert_eq!(discovery.request_problems("POST", &format!("{path}:explode"), &[], b"").len(), 1);
    });
}
