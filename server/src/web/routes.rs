//! Every URL, grouped by who calls it: the table of contents of the server.

use actix_web::web::ServiceConfig;

use super::{android, api, apple, console};

/// Adds all routes to an actix application that has `web::Data<App>`.
pub fn configure(config: &mut ServiceConfig) {
    // Operators, the command line and programs: JSON under /api/v1.
    config.service(api::scope());
    // Phones and their holders: the invitation's page, SCEP, check-in, commands.
    apple::configure(config);
    // Operators in a browser: pages under /console.
    console::configure(config);
    // Whoever comes back from Google's sign-up page.
    android::configure(config);
}
