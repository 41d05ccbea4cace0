//! Every URL, grouped by who calls it: the table of contents of the server.

use actix_web::web::ServiceConfig;

use super::{android, api, apple, console};

/// Adds all routes to an actix application that has `web::Data<App>`.
pub fn configure(config: &mut ServiceConfig) {
    // Phones and their holders: the invitation's page, SCEP, check-in, commands. They come by far the most often, and the first
    // that fits is taken, so they come first.
    apple::configure(config);
    // Operators, the command line and programs: JSON under /api/v1.
    config.service(api::scope());
    // Operators in a browser: pages under /console.
    console::configure(config);
    // Whoever comes back from Google's sign-up page.
    android::configure(config);
}
