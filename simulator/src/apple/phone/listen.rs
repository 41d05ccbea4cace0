//! A phone in somebody's pocket: waits for a push, visits the server, comes back when it must, on a task of its own.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::state::Shared;
use super::{Behaviour, Phone, PhoneState, PollEnd, PollOutcome};
use crate::{Error, Result};

const LONGEST_RETRY: Duration = Duration::from_secs(60);

type Change = Box<dyn FnOnce(&mut Phone) + Send>;

enum Order {
    Change(Change),
    Poll(oneshot::Sender<Result<PollOutcome>>),
    Online(bool),
}

/// A phone that listens. Dropping the handle ends it.
pub struct PhoneHandle {
    shared: Arc<Shared>,
    orders: mpsc::Sender<Order>,
    task: JoinHandle<Phone>,
}

impl Phone {
    /// Lets the phone live by itself. Needs a running tokio.
    pub fn listen(self) -> PhoneHandle {
        let (orders, inbox) = mpsc::channel(16);
        let shared = Arc::clone(&self.shared);
        PhoneHandle { shared, orders, task: tokio::spawn(live(self, inbox)) }
    }
}

impl PhoneHandle {
    /// How it is now.
    pub fn snapshot(&self) -> PhoneState {
        self.shared.snapshot()
    }

    /// Waits until it is as wished; `None` when that takes longer.
    pub async fn wait_until(&self, timeout: Duration, wish: impl Fn(&PhoneState) -> bool) -> Option<PhoneState> {
        self.shared.wait(timeout, wish).await
    }

    /// Does something to the phone between two visits, and waits until it is done.
    ///
    /// # Errors
    /// [`Error::State`] when the phone has stopped.
    pub async fn change<T: Send + 'static>(&self, change: impl FnOnce(&mut Phone) -> T + Send + 'static) -> Result<T> {
        let (done, result) = oneshot::channel();
        let order = Order::Change(Box::new(move |phone: &mut Phone| {
            let _ = done.send(change(phone));
        }));
        self.order(order).await?;
        result.await.map_err(|_| stopped())
    }

    /// Makes it misbehave.
    ///
    /// # Errors
    /// As [`Phone::behave`], and [`Error::State`] when the phone has stopped.
    pub async fn behave(&self, behaviour: Behaviour) -> Result<()> {
        self.change(move |phone| phone.behave(behaviour)).await?
    }

    /// Makes it visit the server without a push.
    ///
    /// # Errors
    /// As [`Phone::poll`].
    pub async fn poll_now(&self) -> Result<PollOutcome> {
        let (done, result) = oneshot::channel();
        self.order(Order::Poll(done)).await?;
        result.await.map_err(|_| stopped())?
    }

    /// Takes it out of coverage, or back in: the push service keeps the last push for it.
    ///
    /// # Errors
    /// [`Error::State`] when the phone has stopped.
    pub async fn set_online(&self, online: bool) -> Result<()> {
        self.order(Order::Online(online)).await
    }

    /// Stops listening and gives the phone back.
    ///
    /// # Errors
    /// [`Error::State`] when its task panicked.
    pub async fn stop(self) -> Result<Phone> {
        let Self { orders, task, .. } = self;
        drop(orders);
        task.await.map_err(|_| stopped())
    }

    async fn order(&self, order: Order) -> Result<()> {
        self.orders.send(order).await.map_err(|_| stopped())
    }
}

fn stopped() -> Error {
    Error::State("the phone has stopped")
}

async fn live(mut phone: Phone, mut inbox: mpsc::Receiver<Order>) -> Phone {
    let mut online = true;
    let mut failures = 0u32;
    let mut again: Option<Instant> = None;
    // Rings for nobody: a phone without push service is only visited by order.
    let silence = Arc::new(Notify::new());
    loop {
        let bell = phone.registration.as_ref().map_or(&silence, |registration| &registration.wake);
        let bell = Arc::clone(bell);
        tokio::select! {
            biased;
            order = inbox.recv() => match order {
                None => return phone,
                Some(Order::Change(change)) => change(&mut phone),
                Some(Order::Online(now)) => online = now,
                Some(Order::Poll(done)) => {
                    let outcome = phone.poll().await;
                    again = come_back(&phone, &outcome, &mut failures);
                    let _ = done.send(outcome);
                }
            },
            () = bell.notified(), if online => {
                let outcome = phone.poll().await;
                again = come_back(&phone, &outcome, &mut failures);
            }
            () = sleep_until(again), if online && again.is_some() => {
                let outcome = phone.poll().await;
                again = come_back(&phone, &outcome, &mut failures);
            }
        }
    }
}

async fn sleep_until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// When the phone comes back by itself: after NotNow only when that was its last status, and after the server failed it.
fn come_back(phone: &Phone, outcome: &Result<PollOutcome>, failures: &mut u32) -> Option<Instant> {
    phone.management.as_ref()?;
    let wait = match outcome {
        Ok(outcome) => match outcome.end {
            PollEnd::Empty => {
                *failures = 0;
                (outcome.last_status == "NotNow").then_some(phone.options.not_now_retry)?
            }
            PollEnd::Wiped | PollEnd::Unenrolled => return None,
            PollEnd::Refused(status) if status < 500 => return None,
            // A phone that lost a command or its answer knows of nothing to come back for.
            PollEnd::Forgotten => return None,
            PollEnd::Refused(_) | PollEnd::Dropped => back_off(phone, failures),
        },
        Err(error) => {
            tracing::debug!(phone = %phone.options.name, %error, "visit failed");
            back_off(phone, failures)
        }
    };
    Some(Instant::now() + wait)
}

fn back_off(phone: &Phone, failures: &mut u32) -> Duration {
    let wait = phone.options.failure_retry.saturating_mul(2u32.saturating_pow(*failures)).min(LONGEST_RETRY);
    *failures = failures.saturating_add(1);
    wait
}
