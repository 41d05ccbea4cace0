//! The discovery document as the judge needs it: methods and messages, from Google's file or, where that is not at hand, from the
//! committed table written in the document's own form.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::android::schema::{Field, Kind, TABLE, Table};

/// One method of the document.
#[derive(Debug, Clone)]
pub struct KnownMethod {
    /// Its name, as in `enterprises.devices.issueCommand`.
    pub id: String,
    /// `GET`, `POST`, `PATCH` or `DELETE`.
    pub http: String,
    /// The path with a placeholder for each part that varies.
    pub path: String,
    /// The parameters of the query by name, each as the document writes it.
    pub query: Map<String, Value>,
    /// The message of its body, if it takes one.
    pub body: Option<String>,
}

/// Methods and messages, each message as the document writes it.
#[derive(Debug, Clone)]
pub struct Document {
    /// Where it comes from, in words.
    pub source: &'static str,
    /// Google's revision.
    pub revision: String,
    methods: Vec<KnownMethod>,
    /// The messages by name.
    pub schemas: Map<String, Value>,
}

impl Document {
    /// Google's own file where it lies beside the repository, else the committed table.
    ///
    /// # Errors
    /// Why a file that is there cannot be read: then there must be no judgement by something else.
    pub fn at_hand() -> Result<Self, String> {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/schema/androidmanagement.v1.json");
        if !file.exists() {
            return Ok(Self::from_table(&TABLE));
        }
        let text = std::fs::read_to_string(file).map_err(|problem| problem.to_string())?;
        Self::read(&serde_json::from_str(&text).map_err(|problem| problem.to_string())?)
    }

    /// Reads Google's file.
    ///
    /// # Errors
    /// What it lacks.
    pub fn read(document: &Value) -> Result<Self, String> {
        let mut methods = Vec::new();
        collect(&document["resources"], document["parameters"].as_object(), &mut methods);
        let schemas = document["schemas"].as_object().cloned().ok_or("a discovery document has schemas")?;
        let revision = document["revision"].as_str().ok_or("a discovery document has a revision")?.to_owned();
        if methods.is_empty() {
            return Err("a discovery document has methods".into());
        }
        Ok(Self { source: "Google's discovery document", revision, methods, schemas })
    }

    /// The committed table in the document's form.
    #[must_use]
    pub fn from_table(table: &Table) -> Self {
        let methods = table.methods.iter().map(|(id, method)| KnownMethod {
            id: id.clone(),
            http: method.http.clone(),
            path: method.path.clone(),
            query: method.query.iter().map(|(name, field)| (name.clone(), parameter(field))).collect(),
            body: method.request.clone(),
        });
        let message = |fields: &std::collections::BTreeMap<String, Field>| {
            let properties: Map<String, Value> =
                fields.iter().map(|(name, field)| (name.clone(), property(field))).collect();
            json!({ "type": "object", "properties": properties })
        };
        Self {
            source: "the committed table of Google's discovery document",
            revision: table.revision.clone(),
            methods: methods.collect(),
            schemas: table.messages.iter().map(|(name, fields)| (name.clone(), message(fields))).collect(),
        }
    }

    /// A message as the document writes it.
    #[must_use]
    pub fn schema(&self, name: &str) -> Option<&Value> {
        self.schemas.get(name)
    }

    /// The method that a request means.
    #[must_use]
    pub fn method(&self, http: &str, path: &str) -> Option<&KnownMethod> {
        let path = path.trim_start_matches('/');
        self.methods.iter().find(|known| known.http == http && fits(&known.path, path))
    }
}

/// Whether a path has the parts of a template; how each may look is for the validator to say.
fn fits(template: &str, path: &str) -> bool {
    let verb = |path: &str| path.rsplit_once(':').map(|(_, verb)| verb.to_owned());
    let parts =
        |path: &str| path.split(':').next().unwrap_or_default().split('/').map(str::to_owned).collect::<Vec<_>>();
    let (names, given) = (parts(template), parts(path));
    verb(template) == verb(path)
        && names.len() == given.len()
        && names.iter().zip(&given).all(|(name, part)| name.starts_with('{') || name == part)
}

fn collect(resources: &Value, common: Option<&Map<String, Value>>, methods: &mut Vec<KnownMethod>) {
    for resource in resources.as_object().into_iter().flat_map(Map::values) {
        for method in resource["methods"].as_object().into_iter().flat_map(Map::values) {
            let text = |name: &str| method[name].as_str().unwrap_or_default();
            let own = method["parameters"].as_object().into_iter().flatten();
            let query = common.into_iter().flatten().chain(own).filter(|(_, rule)| rule["location"] == "query");
            methods.push(KnownMethod {
                id: text("id").trim_start_matches("androidmanagement.").to_owned(),
                http: text("httpMethod").to_owned(),
                path: method["flatPath"].as_str().unwrap_or_else(|| text("path")).to_owned(),
                query: query.map(|(name, rule)| (name.clone(), rule.clone())).collect(),
                body: method["request"]["$ref"].as_str().map(str::to_owned),
            });
        }
        collect(&resource["resources"], common, methods);
    }
}

/// A field of the table as the document writes it.
fn property(field: &Field) -> Value {
    let (kind, format) = match field.kind {
        Kind::Any => ("any", None),
        Kind::String => ("string", None),
        Kind::Boolean => ("boolean", None),
        Kind::Int32 => ("integer", Some("int32")),
        Kind::Int64 => ("string", Some("int64")),
        Kind::Double => ("number", Some("double")),
        Kind::Duration => ("string", Some("google-duration")),
        Kind::Datetime => ("string", Some("google-datetime")),
        Kind::Bytes => ("string", Some("byte")),
        Kind::Fieldmask => ("string", Some("google-fieldmask")),
        Kind::Message => ("", None),
    };
    let mut one = match &field.message {
        Some(message) => json!({ "$ref": message }),
        None => json!({ "type": kind }),
    };
    if let Some(format) = format {
        one["format"] = format.into();
    }
    if !field.values.is_empty() {
        one["enum"] = json!(field.values);
        one["enumDeprecated"] =
            field.values.iter().map(|value| field.deprecated_values.contains(value)).collect::<Vec<_>>().into();
    }
    let mut whole = match (field.list, field.map) {
        (true, _) => json!({ "type": "array", "items": one }),
        (_, true) => json!({ "type": "object", "additionalProperties": one }),
        _ => one,
    };
    whole["readOnly"] = field.read_only.into();
    whole["deprecated"] = field.deprecated.into();
    whole
}

/// A parameter of the table as the document writes it: repeated, not a list.
fn parameter(field: &Field) -> Value {
    let mut rule = property(&Field { list: false, ..field.clone() });
    rule["repeated"] = field.list.into();
    rule
}
