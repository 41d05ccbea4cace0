//! Policies over the API: presets, versions and their history, coverage, and the secrets that profiles carry.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::web::{self, Json};
use actix_web::{HttpResponse, get, patch, put};
use beadle_profiles::{Policy, Preset, coverage};
use serde::{Deserialize, Serialize};
use utoipa_actix_web::service_config::ServiceConfig;
use zeroize::Zeroizing;

use super::caller::Caller;
use super::page::{Page, PageQuery};
use super::problem::Problem;
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::Permission;
use crate::operations::councils;
use crate::operations::policies::{self, Base, Change, HistoryLine, StoredSecret, Version};

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(presets)
        .service(show)
        .service(change)
        .service(history)
        .service(show_coverage)
        .service(secrets)
        .service(set_wifi_password)
        .service(set_certificate);
}

/// A ready-made policy.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct PresetView {
    /// What to give as `preset`.
    name: String,
    title: String,
    /// What it sets and what it leaves open.
    summary: String,
    /// Its settings.
    #[schema(value_type = Object)]
    policy: Policy,
}

/// Lists the ready-made policies.
#[utoipa::path(tag = "policies", responses((status = OK, body = Vec<PresetView>)))]
#[get("/policy-presets")]
async fn presets(_: Caller) -> Json<Vec<PresetView>> {
    let view = |preset: &Preset| PresetView {
        name: preset.to_string(),
        title: preset.title().to_owned(),
        summary: preset.summary().to_owned(),
        policy: Policy::preset(*preset),
    };
    Json(Preset::all().iter().map(view).collect())
}

/// What the text leaves open and the council has not decided.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct QuestionView {
    /// The setting that would answer it.
    setting: String,
    title: String,
    question: String,
}

/// A version of the policy.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct PolicyView {
    #[serde(flatten)]
    version: Version,
    /// What is still to be decided.
    open_questions: Vec<QuestionView>,
}

impl From<Version> for PolicyView {
    fn from(version: Version) -> Self {
        let open_questions = version
            .policy
            .open_questions()
            .into_iter()
            .map(|open| QuestionView {
                setting: open.setting.to_owned(),
                title: open.title.to_owned(),
                question: open.question,
            })
            .collect();
        Self { version, open_questions }
    }
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct WhichVersion {
    /// An earlier version; the one in force unless given.
    version: Option<i64>,
}

/// Shows the policy in force, or an earlier version.
#[utoipa::path(tag = "policies", params(WhichVersion), responses((status = OK, body = PolicyView)))]
#[get("/councils/{council}/policy")]
async fn show(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
    query: web::Query<WhichVersion>,
) -> Result<Json<PolicyView>, Problem> {
    let (council, version) = (path.into_inner(), query.version);
    caller
        .read(&app, "show policy", move |tx, context| {
            let council = councils::permitted(tx, context, &council, Permission::Read)?;
            policies::show(tx, context, &council, version).map(PolicyView::from)
        })
        .await
        .map(Json)
}

/// A change of the policy: what to start from (the version in force unless given), and settings to change in it.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangePolicy {
    /// Start from a ready-made policy.
    preset: Option<String>,
    /// Go back to an earlier version.
    version: Option<i64>,
    /// Start from this whole policy.
    #[schema(value_type = Option<Object>)]
    policy: Option<serde_json::Value>,
    /// Settings to change: path and new value, `{"passcode.minimum_length": 8}`; `"none"` clears an optional one.
    #[serde(default)]
    #[schema(value_type = Object)]
    set: BTreeMap<String, serde_json::Value>,
    /// Why.
    #[serde(default)]
    note: String,
}

impl ChangePolicy {
    /// The settings, outer ones first, since a list must be there before what is in it.
    fn changes(&self) -> Vec<Change> {
        let text = |value: &serde_json::Value| match value {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        self.set.iter().map(|(path, value)| Change { path: path.clone(), value: text(value) }).collect()
    }

    fn base(&self) -> Result<Base> {
        match (&self.preset, self.version, &self.policy) {
            (None, None, None) => Ok(Base::Current),
            (Some(word), None, None) => {
                word.parse().map(Base::Preset).map_err(|problem| Error::invalid("preset", format!("{problem}")))
            }
            (None, Some(version), None) => Ok(Base::Version(version)),
            (None, None, Some(policy)) => serde_json::from_value(policy.clone())
                .map(|policy| Base::Whole(Box::new(policy)))
                .map_err(|problem| Error::invalid("policy", problem.to_string())),
            _ => Err(Error::invalid("preset", "give only one of preset, version and policy")),
        }
    }
}

/// Changes the policy: makes a new version and brings it to every phone.
#[utoipa::path(tag = "policies", responses((status = OK, body = PolicyView)))]
#[patch("/councils/{council}/policy")]
async fn change(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
    body: Json<ChangePolicy>,
) -> Result<HttpResponse, Problem> {
    let (council, body) = (path.into_inner(), body.into_inner());
    let (base, changes) = (body.base()?, body.changes());
    caller
        .write(&app, "change policy", StatusCode::OK, move |tx, context| {
            let council = councils::permitted(tx, context, &council, Permission::Settings)?;
            policies::change(tx, context, &council, &base, &changes, &body.note).map(PolicyView::from)
        })
        .await
}

/// Lists who changed what and when, newest first.
#[utoipa::path(tag = "policies", params(PageQuery), responses((status = OK, body = Page<HistoryLine>)))]
#[get("/councils/{council}/policy/versions")]
async fn history(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
    query: web::Query<PageQuery>,
) -> Result<Json<Page<HistoryLine>>, Problem> {
    let (council, query) = (path.into_inner(), query.into_inner());
    let before = match &query.after {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| Error::invalid("after", "must be the `next` of a page"))?),
    };
    caller
        .read(&app, "policy history", move |tx, context| {
            let council = councils::permitted(tx, context, &council, Permission::Read)?;
            let lines = policies::history(tx, context, &council, before, query.rows()?)?;
            Page::of(&query, lines, |line| line.version.to_string(), |line| line)
        })
        .await
        .map(Json)
}

/// A clause of the written policy.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ClauseView {
    document: String,
    number: String,
}

/// One setting on one kind of phone.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct CoverageView {
    setting: String,
    title: String,
    clauses: Vec<ClauseView>,
    platform: String,
    mode: String,
    /// `asked`, `open` or `allowed`.
    choice: String,
    /// `enforced`, `reported_only` or `not_possible`.
    status: String,
    policy_says: String,
    phone_does: String,
    /// Where the phone falls short of the policy.
    gap: Option<String>,
}

impl From<coverage::Row> for CoverageView {
    fn from(row: coverage::Row) -> Self {
        let clause =
            |clause: coverage::Clause| ClauseView { document: clause.document.into(), number: clause.number.into() };
        let choice = match row.choice {
            coverage::Choice::Asked => "asked",
            coverage::Choice::Open => "open",
            coverage::Choice::Allowed => "allowed",
        };
        Self {
            setting: row.setting.to_owned(),
            title: row.title.to_owned(),
            clauses: row.clauses.into_iter().map(clause).collect(),
            platform: row.platform.to_string(),
            mode: row.mode.to_string(),
            choice: choice.to_owned(),
            status: row.status.to_string(),
            policy_says: row.policy_says,
            phone_does: row.phone_does,
            gap: row.gap,
        }
    }
}

/// Shows what the policy becomes on each kind of phone: enforced, only reported, or not possible, and the gap in words.
#[utoipa::path(tag = "policies", responses((status = OK, body = Vec<CoverageView>)))]
#[get("/councils/{council}/policy/coverage")]
async fn show_coverage(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
) -> Result<Json<Vec<CoverageView>>, Problem> {
    let council = path.into_inner();
    caller
        .read(&app, "policy coverage", move |tx, context| {
            let council = councils::permitted(tx, context, &council, Permission::Read)?;
            Ok(policies::coverage(tx, context, &council)?.into_iter().map(CoverageView::from).collect())
        })
        .await
        .map(Json)
}

/// Lists what is stored beside the policy; never its values.
#[utoipa::path(tag = "policies", responses((status = OK, body = Vec<StoredSecret>)))]
#[get("/councils/{council}/policy/secrets")]
async fn secrets(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
) -> Result<Json<Vec<StoredSecret>>, Problem> {
    let council = path.into_inner();
    caller
        .read(&app, "policy secrets", move |tx, context| {
            let council = councils::permitted(tx, context, &council, Permission::Read)?;
            policies::secrets(tx, context, &council)
        })
        .await
        .map(Json)
}

/// A Wi-Fi network's password.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct WifiPassword {
    /// Its password; nothing to forget it.
    password: Option<String>,
}

/// A certificate that phones should trust.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct TrustedCertificate {
    /// The name that the policy uses.
    name: String,
    /// The certificate, PEM; nothing to forget it.
    certificate: Option<String>,
}

/// What storing a secret did.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Stored {
    /// The new version of the policy, where the policy uses the secret.
    policy_version: Option<i64>,
}

/// Stores a Wi-Fi network's password, which a network of the policy needs.
#[utoipa::path(tag = "policies", responses((status = OK, body = Stored)))]
#[put("/councils/{council}/wifi-passwords/{ssid}")]
async fn set_wifi_password(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<(String, String)>,
    body: Json<WifiPassword>,
) -> Result<HttpResponse, Problem> {
    let (council, ssid) = path.into_inner();
    let password = body.into_inner().password.map(Zeroizing::new);
    caller
        .write(&app, "set Wi-Fi password", StatusCode::OK, move |tx, context| {
            let council = councils::permitted(tx, context, &council, Permission::Settings)?;
            let password = password.as_ref().map(|password| password.as_str());
            let policy_version = policies::set_wifi_password(tx, context, &council, &ssid, password)?;
            Ok(Stored { policy_version })
        })
        .await
}

/// Stores a certificate that the policy can name.
#[utoipa::path(tag = "policies", responses((status = OK, body = Stored)))]
#[put("/councils/{council}/policy/certificates")]
async fn set_certificate(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
    body: Json<TrustedCertificate>,
) -> Result<HttpResponse, Problem> {
    let (council, body) = (path.into_inner(), body.into_inner());
    caller
        .write(&app, "set policy certificate", StatusCode::OK, move |tx, context| {
            let council = councils::permitted(tx, context, &council, Permission::Settings)?;
            let certificate = body.certificate.as_ref().map(|pem| pem.as_bytes());
            let policy_version = policies::set_certificate(tx, context, &council, &body.name, certificate)?;
            Ok(Stored { policy_version })
        })
        .await
}
