//! The console: pages for operators in a browser, made on the server, usable without scripts. One file per page; each calls
//! the same operations as the JSON API, and decides nothing itself.

mod account;
mod alerts;
mod approvals;
mod audit;
mod break_glass;
mod confirm;
mod cookie;
mod councils;
mod dates;
mod devices;
mod equipment;
mod failure;
mod files;
mod first_run;
mod form;
mod form_token;
mod getting_started;
mod guard;
mod holder;
mod home;
mod invite;
mod live;
mod losses;
mod mail;
mod one_operator;
mod operators;
mod orders;
mod own_phone;
mod page;
mod passkeys;
mod people;
mod policy;
mod second_factor;
mod settings;
mod sign_in;
mod stop;
#[cfg(test)]
mod tests;
mod visitor;

use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig, get, post};

use failure::{Failure, go, not_found};

/// Every page, grouped by what it is for.
pub(crate) fn configure(config: &mut ServiceConfig) {
    holder::configure(config);
    stop::configure(config);
    config.route("/", get().to(async || go("/console"))).service(
        web::scope("/console")
            .wrap(from_fn(guard::guard))
            .app_data(
                web::PathConfig::default()
                    .error_handler(|_, _| Failure::Refused(crate::error::Error::NotFound("page")).into()),
            )
            .route("/files/{name}", get().to(files::show))
            .configure(first_run::configure)
            .configure(sign_in_pages)
            .configure(passkeys::configure)
            .configure(own_phone::configure)
            .configure(council_pages)
            .configure(loss_pages)
            .configure(order_pages)
            .configure(devices::configure)
            .configure(invite::configure)
            .configure(mail::configure)
            .configure(one_operator::configure)
            .configure(break_glass::configure)
            .configure(equipment::configure)
            .configure(people::configure)
            .configure(operators::configure)
            .configure(policy::configure)
            .configure(audit::configure)
            .configure(getting_started::configure)
            .configure(settings::configure)
            .default_service(web::to(async || not_found())),
    );
}

fn sign_in_pages(config: &mut ServiceConfig) {
    config
        .route("/sign-in", get().to(sign_in::show))
        .route("/sign-in", post().to(sign_in::send))
        .route("/sign-out", post().to(sign_in::out))
        .route("/confirm", get().to(confirm::show))
        .route("/confirm", post().to(confirm::send))
        .route("/account", get().to(account::show))
        .route("/account/password", get().to(account::password))
        .route("/account/password", post().to(account::send_password))
        .route("/account/second-factor", get().to(second_factor::show))
        .route("/account/second-factor", post().to(second_factor::begin))
        .route("/account/second-factor/code", get().to(second_factor::code))
        .route("/account/second-factor/code", post().to(second_factor::send_code))
        .route("/account/recovery-codes", get().to(second_factor::renew))
        .route("/account/recovery-codes", post().to(second_factor::send_renew));
}

fn council_pages(config: &mut ServiceConfig) {
    config
        .route("", get().to(councils::show))
        .route("/councils/{council}", get().to(home::show))
        .route("/councils/{council}/approvals", get().to(approvals::show))
        .route("/councils/{council}/lost", get().to(losses::find::show))
        .route("/councils/{council}/alerts", get().to(alerts::show))
        .route("/alerts/{alert}/acknowledge", post().to(alerts::acknowledge));
}

fn loss_pages(config: &mut ServiceConfig) {
    config
        .route("/assets/{asset}/card", get().to(holder::card::show))
        .route("/assets/{asset}/card", post().to(holder::card::send))
        .route("/assets/{asset}/lost", get().to(losses::report::show))
        .route("/assets/{asset}/lost", post().to(losses::report::send))
        .route("/losses/{loss}", get().to(losses::case::show))
        .route("/losses/{loss}/live", get().to(losses::case::watch))
        .route("/losses/{loss}/lock", post().to(losses::lock::send))
        .route("/losses/{loss}/wipe", get().to(losses::wipe::show))
        .route("/losses/{loss}/wipe", post().to(losses::wipe::send))
        .route("/losses/{loss}/notes", get().to(losses::notes::show))
        .route("/losses/{loss}/notes", post().to(losses::notes::send))
        .route("/losses/{loss}/breach", get().to(losses::breach::show))
        .route("/losses/{loss}/breach", post().to(losses::breach::send))
        .route("/losses/{loss}/evidence", get().to(losses::evidence::show))
        .route("/losses/{loss}/evidence.json", get().to(losses::evidence::file))
        .route("/losses/{loss}/found", get().to(losses::found::show))
        .route("/losses/{loss}/found", post().to(losses::found::send))
        .route("/losses/{loss}/close", get().to(losses::close::show))
        .route("/losses/{loss}/close", post().to(losses::close::send));
}

fn order_pages(config: &mut ServiceConfig) {
    config
        .route("/orders/{order}", get().to(orders::show))
        .route("/orders/{order}/live", get().to(orders::watch))
        .route("/orders/{order}/approve", post().to(orders::approve))
        .route("/orders/{order}/refuse", post().to(orders::refuse))
        .route("/orders/{order}/cancel", post().to(orders::cancel))
        .route("/orders/{order}/resume", post().to(orders::resume));
}
