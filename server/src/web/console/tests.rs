//! The console as a browser meets it, without the browser: pages, forms, and what must not get through them.

mod alerts;
mod audit;
mod break_glass;
mod desk;
mod devices;
mod equipment;
mod every_route;
mod evidence;
mod first_run;
mod forms;
mod getting_started;
mod holder;
mod invite;
mod mail;
mod operators;
mod own_phone;
mod pages;
mod passkeys;
mod people;
mod policy;
mod settings;
mod signing_in;
mod soft_key;
