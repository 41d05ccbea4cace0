//! The JSON API under `/api/v1`: one file per thing it is about, one OpenAPI document made from the same code.

pub(crate) mod caller;
pub(crate) mod document;
pub(crate) mod guard;
pub(crate) mod page;
pub(crate) mod problem;

mod account;
mod alerts;
mod asset_views;
mod assets;
mod audit;
mod caps;
mod councils;
mod devices;
pub(crate) mod google;
mod holds;
mod installation;
mod invitations;
mod leavers;
mod losses;
mod mail;
mod one_operator;
mod operators;
mod orders;
mod people;
mod policies;
mod push_certificates;
mod quarantine;
mod reports;
mod sessions;
mod tokens;

#[cfg(test)]
mod register_tests;
#[cfg(test)]
mod tests;
mod write;

use actix_web::dev::HttpServiceFactory;
use actix_web::middleware::from_fn;
use utoipa_actix_web::service_config::ServiceConfig;

/// Where the API lives.
pub(crate) const ROOT: &str = "/api/v1";

/// Every operation of the API, one line per file.
pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.configure(sessions::routes).configure(account::routes);
    config.configure(councils::routes).configure(operators::routes).configure(tokens::routes);
    config.configure(devices::routes);
    config.configure(losses::routes).configure(leavers::routes).configure(orders::routes);
    config
        .configure(one_operator::routes)
        .configure(holds::routes)
        .configure(caps::routes)
        .configure(quarantine::routes);
    config.configure(audit::routes).configure(installation::routes);
    config.configure(people::routes).configure(assets::routes).configure(invitations::routes);
    config.configure(alerts::routes);
    config.configure(google::routes).configure(mail::routes);
    config.configure(policies::routes).configure(push_certificates::routes).configure(reports::routes);
}

/// The API as a service: authentication first, then the body, then the handler; errors as problem JSON.
pub(crate) fn scope() -> impl HttpServiceFactory {
    utoipa_actix_web::scope::scope(ROOT)
        .configure(routes)
        .map(document::routes)
        .app_data(problem::json_errors())
        .app_data(problem::path_errors())
        .app_data(problem::query_errors())
        .default_service(actix_web::web::to(problem::unknown_route))
        .wrap(from_fn(guard::guard))
}
