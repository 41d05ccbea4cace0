//! What the person who holds the phone does with it.

use std::time::Duration;

use super::AndroidPhone;
use super::options::Lock;
use super::passwords::applied;
use super::state::{Because, Happening};

impl AndroidPhone {
    /// Takes it out of coverage, or back in; back in, a living phone visits Google at once.
    pub fn set_online(&self, online: bool) {
        self.core.change(|phone| phone.state.online = online);
        self.core.wake.notify_one();
    }

    /// Sets the screen lock.
    pub fn set_screen_lock(&self, lock: Lock) {
        self.core.change(|phone| {
            phone.options.screen_lock = lock;
            phone.state.screen_lock = lock;
            phone.enforce();
        });
        self.core.wake.notify_one();
    }

    /// Sets a lock of its own for the work profile, or goes back to one lock for both.
    pub fn set_work_lock(&self, lock: Option<Lock>) {
        self.core.change(|phone| {
            phone.options.work_lock = lock;
            phone.state.work_lock = lock.filter(|_| phone.state.mode.is_some_and(|mode| mode.has_work_profile()));
            phone.enforce();
        });
        self.core.wake.notify_one();
    }

    /// Opens the screen and the work profile.
    pub fn unlock(&self) {
        self.core.change(|phone| {
            phone.state.screen_locked = false;
            phone.state.work_profile_locked = false;
        });
    }

    /// Somebody types so many wrong passwords, one after the other: at the work profile's own lock, or at the screen, which is the
    /// profile's lock too where it has none of its own. A limit in the scope of the device resets the whole phone, whosever it is:
    /// Google does not say that a personal phone is spared, so a policy must not rely on it.
    pub fn wrong_passwords(&self, count: u32, at_work_profile: bool) {
        self.core.change(|phone| {
            let (Some(mode), Some(policy)) = (phone.state.mode, phone.state.policy.clone()) else { return };
            let shared = phone.state.work_lock.is_none();
            let reached: Vec<bool> = applied(&policy.body, mode, phone.options.api_level)
                .into_iter()
                .filter(|applied| applied.refused.is_none())
                .filter(|applied| if applied.profile { at_work_profile || shared } else { !at_work_profile })
                .filter(|applied| {
                    let most = applied.shown["maximumFailedPasswordsForWipe"].as_u64().unwrap_or(0);
                    most > 0 && u64::from(count) >= most
                })
                .map(|applied| !applied.profile)
                .collect();
            if !reached.is_empty() {
                phone.destroy(reached.contains(&true), Because::WrongPasswords);
            }
        });
    }

    /// Installs an app from Play on the council's side, where the policy leaves that open.
    pub fn install_app(&self, package: &str) {
        self.core.change(|phone| {
            phone.state.work_apps.insert(package.to_owned());
        });
        self.core.wake.notify_one();
    }

    /// Leaves lost mode with the PIN: the phone is found by its holder.
    pub fn leave_lost_mode(&self) {
        self.core.change(|phone| {
            if phone.state.lost_mode.take().is_some() {
                phone.left_lost_mode = Some(phone.now());
                phone.state.screen_locked = false;
                phone.take_state("ACTIVE");
            }
        });
        self.core.wake.notify_one();
    }

    /// Removes the work profile in the settings. Google is not told, and neither is the council.
    pub fn remove_work_profile(&self) {
        self.core.change(|phone| {
            if phone.state.mode.is_some_and(|mode| !mode.company_owned()) {
                phone.forget();
                phone.state.profiles_removed += 1;
                phone.happened(Happening::Wiped { whole_phone: false, because: Because::Holder });
            }
        });
    }

    /// Resets the whole phone. Google is not told. Afterwards it is in factory state, whosever it is.
    pub fn reset(&self) {
        self.core.change(|phone| phone.wipe(Because::Holder));
    }

    /// Sets a phone in factory state up for private use, so that it opens links.
    pub fn set_up_privately(&self) {
        self.core.change(|phone| {
            if phone.enrolled.is_none() {
                phone.options.factory_state = false;
                phone.state.personal_data = true;
                phone.state.screen_lock = phone.options.screen_lock;
            }
        });
    }

    /// Lets the phone's own clock run ahead; it judges itself at once, also offline.
    pub fn move_clock(&self, ahead: Duration) {
        self.core.change(|phone| {
            phone.ahead = phone.ahead.saturating_add(i64::try_from(ahead.as_millis()).unwrap_or(i64::MAX));
            phone.enforce();
        });
        self.core.wake.notify_one();
    }
}
