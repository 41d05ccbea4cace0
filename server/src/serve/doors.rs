//! The listening sockets, and what every answer through them has in common.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::body::MessageBody;
use actix_web::dev::{Server, ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use actix_web::middleware::{Next, from_fn};
use actix_web::{App as Actix, HttpServer, web};

use super::health::{self, Health};
use super::{Doors, tls};
use crate::app::App;
use crate::error::{Error, Result};
use crate::web::{mark_connection, routes};

pub(super) struct Opened {
    pub(super) server: Server,
    pub(super) addresses: Vec<SocketAddr>,
}

/// How long a path to a Unix socket may be on Linux and macOS, in bytes.
const SOCKET_PATH: usize = 103;

pub(super) fn open(
    app: &App,
    health: &Arc<Health>,
    doors: Doors,
    certificate: Option<&tls::Certificate>,
) -> Result<Opened> {
    let settings = Arc::clone(&app.config);
    let workers = if doors == Doors::All { settings.workers } else { 1 };
    let (shared, health) = (web::Data::new(app.clone()), web::Data::from(Arc::clone(health)));
    let mut server = HttpServer::new(move || {
        Actix::new()
            .app_data(shared.clone())
            .app_data(health.clone())
            .wrap(from_fn(protect_pages))
            .wrap(from_fn(log_request))
            .configure(health::routes)
            .configure(routes::configure)
    })
    .workers(workers)
    .max_connections((settings.limits.connections / workers).max(1))
    .keep_alive(Duration::from_secs(75))
    .client_request_timeout(Duration::from_secs(settings.limits.request_seconds))
    .client_disconnect_timeout(Duration::from_secs(5))
    // An answer that goes out in two writes must not wait for the acknowledgement of the first.
    .tcp_nodelay(true)
    .tls_handshake_timeout(Duration::from_secs(10))
    .disable_signals()
    .on_connect(mark_connection);
    if doors == Doors::All {
        for address in &settings.listen {
            let refused =
                |problem: std::io::Error| Error::invalid("listen", format!("cannot listen on {address}: {problem}"));
            server = match certificate {
                Some(certificate) => server.bind_openssl(address, certificate.acceptor()?).map_err(refused)?,
                None => server.bind(address).map_err(refused)?,
            };
        }
    }
    let addresses = server.addrs();
    let server = server
        .listen_uds(control_socket(app)?)
        .map_err(|problem| Error::Unavailable(format!("cannot serve the control socket: {problem}")))?;
    Ok(Opened { server: server.run(), addresses })
}

/// The control socket. One that a crash left behind is taken away: whoever has the folder's lock is its only server.
fn control_socket(app: &App) -> Result<UnixListener> {
    let path = app.config.control_socket();
    if path.as_os_str().len() > SOCKET_PATH {
        return Err(Error::invalid(
            "data_folder",
            format!("{} is too long for a socket (at most {SOCKET_PATH} bytes); use a shorter folder", path.display()),
        ));
    }
    let open = || -> std::io::Result<UnixListener> {
        if path.exists() {
            std::fs::remove_file(&path)?;
        }
        let listener = UnixListener::bind(&path)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        Ok(listener)
    };
    open().map_err(|problem| Error::Unavailable(format!("cannot open {}: {problem}", path.display())))
}

/// Logs the route, never the path: paths hold invitation codes, bodies and headers hold tokens.
async fn log_request(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let health = request.app_data::<web::Data<Health>>().cloned();
    let _open = health.as_ref().map(|health| health.begin_request());
    let (method, started) = (request.method().clone(), Instant::now());
    let answer = next.call(request).await?;
    let route = answer.request().match_pattern().unwrap_or_else(|| "(no route)".to_owned());
    let (status, milliseconds) = (answer.status().as_u16(), started.elapsed().as_millis() as u64);
    if status >= 500 {
        tracing::warn!(%method, route, status, milliseconds, "request failed");
    } else {
        tracing::debug!(%method, route, status, milliseconds, "request");
    }
    Ok(answer)
}

/// Gives pages the headers that keep a browser from loading, framing or leaking anything, where the page set none itself.
async fn protect_pages(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let mut answer = next.call(request).await?;
    let headers = answer.headers_mut();
    let page =
        headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).is_some_and(|kind| kind.starts_with("text/html"));
    set(headers, X_CONTENT_TYPE_OPTIONS, "nosniff");
    if page {
        set(
            headers,
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; form-action 'self'; base-uri \
             'none'; frame-ancestors 'none'",
        );
        set(headers, REFERRER_POLICY, "no-referrer");
        set(headers, X_FRAME_OPTIONS, "DENY");
    }
    Ok(answer)
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    if !headers.contains_key(&name) {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
