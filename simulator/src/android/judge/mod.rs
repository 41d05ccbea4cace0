//! Judges what a server sends to Google by Google's discovery document, with a JSON Schema validator that is not ours, because a
//! checker and a server written by the same hand may share a misunderstanding.
//!
//! The document is read where it lies beside the repository; elsewhere the committed table stands in for it. Either is turned
//! mechanically into JSON Schema, so that nothing of [`super::schema`]'s own walk takes part in the judgement.

mod document;
mod schema;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use jsonschema::Validator;
use serde_json::{Map, Value, json};

pub use document::Document;
pub use schema::By;

use super::cloud::Request;

/// The judge of this process; why there is none, where the document cannot be read.
pub static JUDGE: LazyLock<Result<Judge, String>> = LazyLock::new(|| Document::at_hand().map(Judge::new));

/// A discovery document made ready to judge by.
pub struct Judge {
    document: Document,
    sent: Value,
    said: Value,
    compiled: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Judge {
    /// Makes a judge of a document.
    #[must_use]
    pub fn new(document: Document) -> Self {
        let [sent, said] = [By::Caller, By::Google].map(|by| schema::definitions(&document, by));
        Self { document, sent, said, compiled: Mutex::default() }
    }

    /// What it judges by.
    #[must_use]
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// What is wrong with a value as one of the document's messages; Google itself may write what a caller must not.
    #[must_use]
    pub fn message(&self, name: &str, value: &Value, by: By) -> Vec<String> {
        if self.document.schema(name).is_none() {
            return vec![format!("the document has no message {name}")];
        }
        self.judge(&format!("{by:?} {name}"), by, || json!({ "$ref": format!("#/$defs/{name}") }), value)
    }

    /// What is wrong with a request: its method and path, its query, its body.
    #[must_use]
    pub fn request(&self, method: &str, path: &str, query: &[(String, String)], body: &[u8]) -> Vec<String> {
        let Some(known) = self.document.method(method, path) else {
            return vec![format!("the document has no method {method} {path}")];
        };
        let mut request = json!({ "path": path.trim_start_matches('/'), "query": schema::query(known, query) });
        if !body.trim_ascii().is_empty() {
            match serde_json::from_slice(body) {
                Ok(body) => request["body"] = body,
                Err(problem) => return vec![format!("{}: the body is not JSON: {problem}", known.id)],
            }
        }
        let found = self.judge(&known.id, By::Caller, || schema::request(known), &request);
        found.into_iter().map(|problem| format!("{}{problem}", known.id)).collect()
    }

    fn judge(&self, key: &str, by: By, shape: impl FnOnce() -> Value, value: &Value) -> Vec<String> {
        let known = self.compiled.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned();
        let validator = match known.map_or_else(|| self.compile(key, by, shape()), Ok) {
            Ok(validator) => validator,
            Err(problem) => return vec![problem],
        };
        let errors = validator.iter_errors(value);
        errors.map(|error| format!("{}: {}", error.instance_path(), error.masked())).collect()
    }

    fn compile(&self, key: &str, by: By, shape: Value) -> Result<Arc<Validator>, String> {
        let definitions = if by == By::Caller { &self.sent } else { &self.said };
        let mut whole: Map<String, Value> = shape.as_object().cloned().unwrap_or_default();
        whole.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
        whole.insert("$defs".into(), definitions.clone());
        let validator =
            Arc::new(schema::compile(&Value::Object(whole)).map_err(|problem| format!("{key}: {problem}"))?);
        self.compiled.lock().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned(), Arc::clone(&validator));
        Ok(validator)
    }
}

/// What is wrong with a call as it came to the stand-in.
pub(crate) fn problems(request: &Request) -> Vec<String> {
    match &*JUDGE {
        Ok(judge) => judge.request(&request.method, &request.path, &request.query, &request.body),
        Err(problem) => vec![format!("there is no judge: {problem}")],
    }
}
