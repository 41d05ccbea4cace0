//! The description of the API, for programs (OpenAPI) and for people: both from the annotations beside the handlers.

use std::sync::OnceLock;

use actix_web::{HttpResponse, Scope, web};
use askama::Template;
use serde_json::{Value, json};
use utoipa::OpenApi;
use utoipa_actix_web::OpenApiFactory as _;

use super::problem::Problem;
use crate::error::{Error, Result};

/// The mark, beside its handler, of a request that keeps no answer for repeats: it changes
/// nothing, or files, or something at Google, or what it shows must not be kept.
const NOT_REPEATED: &str = "x-not-repeated";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Beadle",
        description = "Keeps a council's phones and tablets in order. Lists are read page by page; changes take an \
                       Idempotency-Key where it is listed; errors are problem JSON (RFC 9457)."
    ),
    components(schemas(Problem)),
    security(("bearer" = []))
)]
struct Description;

/// Adds the document and its page to the API.
pub(super) fn routes(scope: Scope) -> Scope {
    scope.route("/openapi.json", web::get().to(openapi)).route("/docs", web::get().to(page))
}

async fn openapi() -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().content_type("application/json").body(document()?.to_string()))
}

async fn page() -> Result<HttpResponse, Problem> {
    let page = Docs { groups: groups(document()?) };
    let html = page.render().map_err(Error::internal)?;
    Ok(HttpResponse::Ok()
        .insert_header(("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'"))
        .content_type("text/html; charset=utf-8")
        .body(html))
}

/// The OpenAPI document.
pub(crate) fn document() -> Result<&'static Value> {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    if let Some(document) = DOCUMENT.get() {
        return Ok(document);
    }
    let made = make()?;
    Ok(DOCUMENT.get_or_init(|| made))
}

fn make() -> Result<Value> {
    let mut description = Description::openapi();
    let scope = utoipa_actix_web::scope::scope(super::ROOT).configure(super::routes);
    description.paths.merge(scope.paths());
    let mut schemas = Vec::new();
    scope.schemas(&mut schemas);
    description.components.get_or_insert_default().schemas.extend(schemas);
    let mut document = serde_json::to_value(&description)?;
    if let Some(components) = document.pointer_mut("/components").and_then(Value::as_object_mut) {
        components.insert(
            "securitySchemes".to_owned(),
            json!({ "bearer": {
                "type": "http", "scheme": "bearer",
                "description": "The token of a sign-in (POST /api/v1/sessions), or a JWT issued for a program."
            } }),
        );
    }
    add_what_all_share(&mut document);
    Ok(document)
}

/// Errors and idempotency keys are the same everywhere, so they are said in one place.
fn add_what_all_share(document: &mut Value) {
    let problem = json!({
        "description": "Refused or failed; the body says why.",
        "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } }
    });
    let key = json!({
        "name": "Idempotency-Key", "in": "header", "required": false, "schema": { "type": "string", "maxLength": 200 },
        "description": "A repeat under the same key within 24 hours is answered again and not done again."
    });
    let items = document.get_mut("paths").and_then(Value::as_object_mut);
    for (_, item) in items.into_iter().flatten() {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            let Some(operation) = operation.as_object_mut() else { continue };
            if let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) {
                responses.insert("default".to_owned(), problem.clone());
            }
            // Nobody is known yet where no sign-in is needed, so that there is nothing to keep an answer under.
            let open = operation.get("security") == Some(&json!([{}]));
            let kept = operation.remove(NOT_REPEATED).is_none();
            if method != "get" && kept && !open {
                let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
                if let Some(parameters) = parameters.as_array_mut() {
                    parameters.push(key.clone());
                }
            }
        }
    }
}

#[derive(Template)]
#[template(path = "api_docs.html")]
struct Docs {
    groups: Vec<Group>,
}

struct Group {
    name: String,
    operations: Vec<Operation>,
}

struct Operation {
    method: String,
    path: String,
    summary: String,
    description: String,
    parameters: Vec<Parameter>,
    body: Vec<Field>,
    answers: Vec<Field>,
}

struct Parameter {
    name: String,
    place: String,
    about: String,
}

struct Field {
    name: String,
    about: String,
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn groups(document: &Value) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let paths = document.get("paths").and_then(Value::as_object);
    for (path, item) in paths.into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            if !operation.is_object() {
                continue;
            }
            let name = operation.pointer("/tags/0").and_then(Value::as_str).unwrap_or("other").to_owned();
            let shown = shown(document, path, method, operation);
            match groups.iter_mut().find(|group| group.name == name) {
                Some(group) => group.operations.push(shown),
                None => groups.push(Group { name, operations: vec![shown] }),
            }
        }
    }
    groups
}

fn shown(document: &Value, path: &str, method: &str, operation: &Value) -> Operation {
    let parameters = operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
    let answers = operation.get("responses").and_then(Value::as_object).into_iter().flatten();
    let body = operation
        .pointer("/requestBody/content/application~1json/schema/$ref")
        .and_then(Value::as_str)
        .and_then(|reference| document.pointer(reference.trim_start_matches('#')))
        .and_then(|schema| schema.get("properties"))
        .and_then(Value::as_object);
    Operation {
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(operation, "summary"),
        description: text(operation, "description"),
        parameters: parameters
            .map(|parameter| Parameter {
                name: text(parameter, "name"),
                place: text(parameter, "in"),
                about: text(parameter, "description"),
            })
            .collect(),
        body: body
            .into_iter()
            .flatten()
            .map(|(name, schema)| Field { name: name.clone(), about: text(schema, "description") })
            .collect(),
        answers: answers
            .map(|(status, answer)| Field { name: status.clone(), about: text(answer, "description") })
            .collect(),
    }
}
