//! `beadle demo`: the product's main job on one computer, told while it happens, with the real server and simulated phones.

mod android_story;
mod api;
mod story;
mod town;

use std::time::Instant;

pub use api::{Api, Person, Refusal, text};
pub use town::{COUNCILS, Council, Fresh, Invited, Offer, Town, settings, until, write_settings};

/// Tells the story; with `exit` it ends there, otherwise the server stays up for trying it by hand until Ctrl-C.
///
/// # Errors
/// The first thing that did not go as it should.
pub async fn run(exit: bool) -> Result<(), Refusal> {
    let folder = fresh_folder()?;
    let started = Instant::now();
    let outcome = story::tell(&folder, started, exit).await;
    match &outcome {
        Ok(()) if exit => println!("\nThe story ended well, after {:.1} s.", started.elapsed().as_secs_f32()),
        Ok(()) => {}
        Err(problem) => eprintln!("\nThe story did not end well: {problem}\nThe data is in {}", folder.display()),
    }
    if outcome.is_ok()
        && let Err(problem) = std::fs::remove_dir_all(&folder)
    {
        eprintln!("{} could not be removed: {problem}", folder.display());
    }
    outcome
}

fn fresh_folder() -> Result<std::path::PathBuf, Refusal> {
    let folder = std::env::temp_dir().join(format!("beadle-demo-{}", uuid::Uuid::now_v7().simple()));
    std::fs::create_dir(&folder)
        .map_err(|problem| Refusal { status: 0, detail: format!("cannot make {}: {problem}", folder.display()) })?;
    Ok(folder)
}
