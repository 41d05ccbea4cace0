//! Whether the process lives (`/healthz`) and whether it can do its work (`/readyz`).

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use actix_web::web::{Data, ServiceConfig, get};
use actix_web::{HttpResponse, web};

use crate::app::App;
use crate::store;

/// How long an answer about the database stands: anybody may ask, and each look costs a connection.
const STANDS: Duration = Duration::from_secs(2);

/// What the two addresses tell.
#[derive(Debug)]
pub(crate) struct Health {
    app: App,
    shutting_down: AtomicBool,
    open_requests: AtomicUsize,
    looked: Mutex<Option<(Instant, Option<&'static str>)>>,
}

impl Health {
    pub(crate) fn new(app: App) -> Self {
        Self {
            app,
            shutting_down: AtomicBool::new(false),
            open_requests: AtomicUsize::new(0),
            looked: Mutex::default(),
        }
    }

    /// From now on the server is not ready.
    pub(crate) fn shut_down(&self) {
        self.shutting_down.store(true, Ordering::SeqCst);
    }

    /// Counts a request as open until the guard is dropped.
    pub(crate) fn begin_request(&self) -> OpenRequest<'_> {
        self.open_requests.fetch_add(1, Ordering::SeqCst);
        OpenRequest(self)
    }

    /// Waits until no request is open, but no longer than `patience`.
    pub(crate) async fn drained(&self, patience: Duration) {
        let started = Instant::now();
        while self.open_requests.load(Ordering::SeqCst) > 0 && started.elapsed() < patience {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Why the server is not ready, if it is not.
    async fn obstacle(&self) -> Option<&'static str> {
        if self.shutting_down.load(Ordering::SeqCst) {
            return Some("shutting down");
        }
        let known = self.looked.lock().ok().and_then(|looked| *looked).filter(|(at, _)| at.elapsed() < STANDS);
        if let Some((_, obstacle)) = known {
            return obstacle;
        }
        let obstacle = self.look().await;
        if let Ok(mut looked) = self.looked.lock() {
            *looked = Some((Instant::now(), obstacle));
        }
        obstacle
    }

    async fn look(&self) -> Option<&'static str> {
        let reachable = self.app.database.read("readiness", store::installation::has_operators).await;
        if reachable.is_err() {
            return Some("the database cannot be reached");
        }
        let database = self.app.database.clone();
        match tokio::task::spawn_blocking(move || database.schema_is_current()).await {
            Ok(Ok(true)) => None,
            Ok(Ok(false)) => Some("the database's schema is older than this program"),
            Ok(Err(_)) | Err(_) => Some("the database's schema is not this program's"),
        }
    }
}

/// A request that is being answered.
pub(crate) struct OpenRequest<'a>(&'a Health);

impl Drop for OpenRequest<'_> {
    fn drop(&mut self) {
        self.0.open_requests.fetch_sub(1, Ordering::SeqCst);
    }
}

pub(super) fn routes(config: &mut ServiceConfig) {
    config.route("/healthz", get().to(alive)).route("/readyz", get().to(ready));
}

async fn alive() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("alive\n")
}

async fn ready(health: Data<Health>) -> HttpResponse {
    match health.obstacle().await {
        None => HttpResponse::Ok().content_type("text/plain").body("ready\n"),
        Some(obstacle) => HttpResponse::ServiceUnavailable()
            .content_type("text/plain")
            .body(web::Bytes::from(format!("{obstacle}\n"))),
    }
}
