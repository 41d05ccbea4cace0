//! What a device reports, over the API: each setting of the policy, and the apps of a council device.

use actix_web::get;
use actix_web::web::{self, Json};
use utoipa_actix_web::service_config::ServiceConfig;

use super::caller::Caller;
use super::problem::Problem;
use crate::app::App;
use crate::model::DeviceId;
use crate::operations::reports::{self, AppInventory, DeviceSettings};

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(settings).service(apps);
}

/// Shows each setting as the device reports it: in force, not in force or unknown, and since when.
#[utoipa::path(tag = "devices", responses((status = OK, body = DeviceSettings)))]
#[get("/devices/{device}/settings")]
async fn settings(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
) -> Result<Json<DeviceSettings>, Problem> {
    let device = DeviceId::from(path.into_inner());
    caller
        .read(&app, "device settings", move |tx, context| reports::settings_of_device(tx, context, &device))
        .await
        .map(Json)
}

/// Lists the apps that a council device reports; a personal device is never asked.
#[utoipa::path(tag = "devices", responses((status = OK, body = AppInventory)))]
#[get("/devices/{device}/apps")]
async fn apps(app: web::Data<App>, caller: Caller, path: web::Path<String>) -> Result<Json<AppInventory>, Problem> {
    let device = DeviceId::from(path.into_inner());
    caller.read(&app, "device apps", move |tx, context| reports::apps_of_device(tx, context, &device)).await.map(Json)
}
