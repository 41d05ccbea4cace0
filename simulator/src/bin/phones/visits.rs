//! Visits once as each enrolled phone whenever it is told to, on connections that stay open in between: for measuring what
//! a visit costs the server, with whatever the driver prepares before each pass.

use std::io::BufRead as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use beadle_simulator::apple::cms::SignatureStyle;
use tokio::task::JoinSet;

use super::load::{Count, Mode, Poller, pollers};
use super::{Outcome, client, say, shares};

/// A visit that takes longer has met a server that goes round in circles.
const LONGEST: Duration = Duration::from_secs(600);

#[derive(clap::Args, Clone)]
pub(crate) struct Visits {
    /// Identities written by `enrol`
    #[arg(long)]
    identities: PathBuf,
    /// How many connections, each with its share of the phones
    #[arg(long, default_value_t = 8)]
    connections: usize,
    /// Root certificate of the server, PEM
    #[arg(long)]
    root_ca: Option<PathBuf>,
}

pub(crate) async fn visits(arguments: Visits) -> Outcome<bool> {
    // As iOS signs: SHA-1, no signed attributes.
    let style = SignatureStyle::Sha1WithoutAttributes;
    let mut lines: Vec<(reqwest::Client, Vec<Poller>)> = Vec::new();
    for share in shares(pollers(&arguments.identities, style)?, arguments.connections) {
        lines.push((client(arguments.root_ca.as_deref())?, share));
    }
    for order in std::io::stdin().lock().lines() {
        order?;
        let mut passes = JoinSet::new();
        for (client, share) in lines.drain(..) {
            passes.spawn(async move {
                let mut count = Count::default();
                for phone in &share {
                    count.visit(&client, phone, Mode::Pairs, style, Instant::now() + LONGEST).await;
                }
                (client, share, count)
            });
        }
        let (mut idle, mut answers) = (0, 0);
        for (client, share, count) in passes.join_all().await {
            if !count.clean() {
                return Ok(false);
            }
            idle += count.idle;
            answers += count.answers;
            lines.push((client, share));
        }
        say(&format!("idle {idle} answers {answers}"))?;
    }
    Ok(true)
}
