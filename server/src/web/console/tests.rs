//! The console as a browser meets it, without the browser: pages, forms, and what must not get through them.

mod desk;
mod forms;
mod mail;
mod pages;
mod signing_in;
