//! The console as a browser meets it, without the browser: pages, forms, and what must not get through them.

mod desk;
mod devices;
mod forms;
mod invite;
mod pages;
mod signing_in;
