//! Whole stories against the real server: over HTTPS, with simulated phones, on SQLite and PostgreSQL.

mod android;
mod desk;
mod devices_doors;
mod hundred;
mod losses;
mod misbehaviour;
mod nanomdm;
mod renewal;
mod routes;
mod steps;
mod supervised;
