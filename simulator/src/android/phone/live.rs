//! A phone in somebody's pocket: it visits Google whenever it is called, on a task of its own.

use std::sync::Arc;

use tokio::task::JoinHandle;

use super::{AndroidPhone, Phone};

/// A phone that lives by itself. Dropping this ends that; the phone remains.
#[derive(Debug)]
pub struct Living(JoinHandle<()>);

impl Drop for Living {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl AndroidPhone {
    /// Lets the phone live by itself from now on: it answers what Google has for it after `answer_after`. Needs a running tokio.
    pub fn live(&self) -> Living {
        let core = Arc::clone(&self.core);
        // What it missed before.
        core.wake.notify_one();
        Living(tokio::spawn(async move {
            loop {
                core.wake.notified().await;
                let pause = core.lock().options.answer_after;
                tokio::time::sleep(pause).await;
                core.change(Phone::visit);
            }
        }))
    }
}
