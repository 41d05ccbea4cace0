//! Pages that show how things stand without being reloaded: server-sent events, each the page's moving part drawn anew.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::Bytes;
use futures_util::stream;

use super::visitor::Visitor;
use crate::app::App;
use crate::error::{Error, Result};
use crate::operations::Context;
use crate::operations::sign_in;
use crate::store::Transaction;

/// How often it is looked whether anything changed.
const LOOK: Duration = Duration::from_secs(1);
/// After so many looks the stream ends; a page that is still open asks for a new one.
const LOOKS: u32 = 600;
/// After so many looks without a change something is sent, so that nobody takes the connection for dead.
const SILENT_LOOKS: u32 = 15;

struct Watch<Draw> {
    app: App,
    visitor: Visitor,
    draw: Draw,
    shown: String,
    looks: u32,
    ended: bool,
}

fn event(name: &str, data: &str) -> Bytes {
    let lines: String = data.lines().map(|line| format!("data: {line}\n")).collect();
    Bytes::from(format!("event: {name}\n{lines}\n"))
}

/// Streams what `draw` makes of a snapshot, now and whenever it changes, until the sign-in is over.
pub(super) fn watch<Draw>(app: &App, visitor: Visitor, draw: Draw) -> HttpResponse
where
    Draw: Fn(&mut Transaction<'_>, &Context, &Visitor) -> Result<String> + Clone + Send + 'static,
{
    let start = Watch { app: app.clone(), visitor, draw, shown: String::new(), looks: 0, ended: false };
    let events = stream::unfold(start, async |mut watch| {
        let next = watch.next().await?;
        Some((Ok::<_, actix_web::Error>(next), watch))
    });
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((CACHE_CONTROL, "no-store"))
        // A reverse proxy must not collect what is meant for now.
        .insert_header(("x-accel-buffering", "no"))
        .streaming(Box::pin(events))
}

impl<Draw> Watch<Draw>
where
    Draw: Fn(&mut Transaction<'_>, &Context, &Visitor) -> Result<String> + Clone + Send + 'static,
{
    async fn next(&mut self) -> Option<Bytes> {
        if self.ended {
            return None;
        }
        for silent in 0..SILENT_LOOKS {
            if self.looks > 0 {
                tokio::time::sleep(LOOK).await;
            }
            self.looks += 1;
            if self.looks > LOOKS {
                return None;
            }
            match self.look().await {
                Ok(now) if now == self.shown => tracing::trace!(silent, "nothing changed"),
                Ok(now) => {
                    self.shown = now;
                    return Some(event("state", &self.shown));
                }
                Err(Error::Unauthenticated(_)) => {
                    self.ended = true;
                    return Some(event("over", "over"));
                }
                Err(problem) => {
                    tracing::warn!(%problem, "a live page could not be drawn");
                    return None;
                }
            }
        }
        Some(Bytes::from_static(b": still here\n\n"))
    }

    async fn look(&self) -> Result<String> {
        let (visitor, draw, now) = (self.visitor.clone(), self.draw.clone(), self.app.clock.now());
        let keys = std::sync::Arc::clone(&self.app.keys);
        self.app
            .database
            .read("live page", move |tx| {
                // Whoever lost the right to look sees no more, from the next look on.
                let actor = sign_in::authenticate(tx, &visitor.credential, now)?.actor;
                draw(tx, &Context { actor, now, keys }, &visitor)
            })
            .await
    }
}
