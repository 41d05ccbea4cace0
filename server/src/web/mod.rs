//! Everything that speaks HTTP: which URLs there are, who may call them, and how answers and errors look.

pub(crate) mod android;
pub mod api;
pub(crate) mod apple;
pub(crate) mod console;
pub(crate) mod once;
pub(crate) mod push_certificates;
pub mod routes;
pub(crate) mod sign_in;
pub(crate) mod visitor;

use std::any::Any;

use actix_web::dev::Extensions;

/// Marks a connection through the control socket: whoever opened it has access to the data folder.
#[derive(Clone, Copy, Debug)]
pub struct LocalPeer;

/// For `HttpServer::on_connect`: marks the connections of the control socket, a Unix socket that only its owner can open, and gives
/// every other a place to remember which device speaks on it.
pub fn mark_connection(connection: &dyn Any, data: &mut Extensions) {
    if connection.is::<actix_web::rt::net::UnixStream>() {
        data.insert(LocalPeer);
    } else {
        data.insert(apple::Speaker::default());
    }
}
