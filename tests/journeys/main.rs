//! Whole stories against the real server: over HTTPS, with simulated phones, on SQLite and PostgreSQL.

mod devices_doors;
mod hundred;
mod losses;
mod nanomdm;
mod routes;
mod supervised;
