//! What a phone does when it is told to, and what it answers, lies included.

use serde_json::{Map, Value, json};

use super::Phone;
use super::options::{Lock, LockKind};
use super::state::{Because, Happening, Mode};
use crate::android::cloud::Ended;

/// So long after a reset password or an exit by its holder, lost mode is refused: twelve hours.
const RECENTLY: i64 = 12 * 3600 * 1000;

/// What a command came to.
pub(super) enum Came {
    /// It is answered, and the phone stays managed.
    Answered(Ended),
    /// It is answered, and the phone is wiped.
    Over(Because),
    /// It is never answered.
    Lost,
}

fn done() -> Came {
    Came::Answered(Ended::default())
}

fn refused(code: &str) -> Came {
    Came::Answered(Ended { error_code: Some(code.to_owned()), failed: true, ..Ended::default() })
}

fn status(field: &'static str, word: &str) -> Came {
    let failed = word != "SUCCESS";
    Came::Answered(Ended { status: Some((field, json!({ "status": word }))), failed, ..Ended::default() })
}

impl Phone {
    pub(super) fn execute(&mut self, operation: &str, command: &Map<String, Value>, mode: Mode) -> Came {
        let kind = command.get("type").and_then(Value::as_str).unwrap_or_default();
        if let Some(behaviour) = self.misbehaves(kind) {
            return match behaviour {
                Some(code) => refused(&code),
                None => Came::Lost,
            };
        }
        match kind {
            "LOCK" => self.lock(mode),
            "RESET_PASSWORD" => self.reset_password(command, mode),
            "REBOOT" => match mode {
                Mode::FullyManaged if self.options.api_level < 24 => refused("API_LEVEL"),
                Mode::FullyManaged => {
                    self.state.restarts += 1;
                    done()
                }
                Mode::CompanyWorkProfile => refused("MANAGEMENT_MODE"),
                // Answers that it is done, and does nothing.
                Mode::PersonalWorkProfile => done(),
            },
            "RELINQUISH_OWNERSHIP" => match mode {
                Mode::CompanyWorkProfile if self.options.api_level < 26 => refused("API_LEVEL"),
                Mode::CompanyWorkProfile => Came::Over(Because::Relinquished(operation.to_owned())),
                _ => refused("MANAGEMENT_MODE"),
            },
            "CLEAR_APP_DATA" => self.clear_app_data(command),
            "START_LOST_MODE" => self.start_lost_mode(command, mode),
            "STOP_LOST_MODE" => self.stop_lost_mode(mode),
            "WIPE" => Came::Over(Because::Command(operation.to_owned())),
            _ => refused("UNSUPPORTED"),
        }
    }

    fn lock(&mut self, mode: Mode) -> Came {
        // On a company-owned phone with Android 8 to 10 the whole phone is locked all the same.
        let whole = mode == Mode::CompanyWorkProfile && (26..30).contains(&self.options.api_level);
        if mode.has_work_profile() && self.state.work_lock.is_some() && !whole {
            self.state.work_profile_locked = true;
        } else {
            self.state.screen_locked = true;
        }
        done()
    }

    fn reset_password(&mut self, command: &Map<String, Value>, mode: Mode) -> Came {
        let password = command.get("newPassword").and_then(Value::as_str).unwrap_or_default();
        let digits = !password.is_empty() && password.bytes().all(|byte| byte.is_ascii_digit());
        if digits && password.len() < 6 && self.options.api_level >= 34 {
            return refused("INVALID_VALUE");
        }
        let kind = match (password.is_empty(), digits) {
            (true, _) => LockKind::Swipe,
            (false, true) => LockKind::Pin,
            (false, false) => LockKind::Mixed,
        };
        let length = u8::try_from(password.len()).unwrap_or(u8::MAX);
        let lock = Lock { kind, length, simple: password.is_empty() };
        if mode.has_work_profile() {
            // The screen lock is the holder's; a profile owner resets the lock of the profile.
            self.state.work_lock = lock.secure().then_some(lock);
        } else {
            self.state.screen_lock = lock;
        }
        self.password_reset = Some(self.now());
        let flags = command.get("resetPasswordFlags").and_then(Value::as_array);
        if flags.into_iter().flatten().any(|flag| flag == "LOCK_NOW") {
            return self.lock(mode);
        }
        done()
    }

    fn clear_app_data(&mut self, command: &Map<String, Value>) -> Came {
        if self.options.api_level < 28 {
            return refused("API_LEVEL");
        }
        let packages = command.get("clearAppsDataParams").and_then(|params| params.get("packageNames"));
        let results: Map<String, Value> = packages
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(|package| {
                let known = self.state.work_apps.contains(package);
                let result = if known { "SUCCESS" } else { "APP_NOT_FOUND" };
                (package.to_owned(), json!({ "clearingResult": result }))
            })
            .collect();
        Came::Answered(Ended {
            status: Some(("clearAppsDataStatus", json!({ "results": results }))),
            ..Ended::default()
        })
    }

    fn lost_mode_level(&self, mode: Mode) -> Option<Came> {
        match mode {
            Mode::PersonalWorkProfile => Some(refused("MANAGEMENT_MODE")),
            Mode::FullyManaged if self.options.api_level < 30 => Some(refused("API_LEVEL")),
            Mode::CompanyWorkProfile if self.options.api_level < 33 => Some(refused("API_LEVEL")),
            _ => None,
        }
    }

    fn start_lost_mode(&mut self, command: &Map<String, Value>, mode: Mode) -> Came {
        if let Some(refused) = self.lost_mode_level(mode) {
            return refused;
        }
        let recently = |at: Option<i64>| at.is_some_and(|at| self.now() - at < RECENTLY);
        let word = if self.state.lost_mode.is_some() {
            "ALREADY_IN_LOST_MODE"
        } else if recently(self.password_reset) {
            "RESET_PASSWORD_RECENTLY"
        } else if recently(self.left_lost_mode) {
            "USER_EXIT_LOST_MODE_RECENTLY"
        } else {
            self.state.lost_mode = Some(command.get("startLostModeParams").cloned().unwrap_or_default());
            self.state.screen_locked = true;
            self.take_state("LOST");
            "SUCCESS"
        };
        status("startLostModeStatus", word)
    }

    fn stop_lost_mode(&mut self, mode: Mode) -> Came {
        if let Some(refused) = self.lost_mode_level(mode) {
            return refused;
        }
        if self.state.lost_mode.take().is_none() {
            return status("stopLostModeStatus", "NOT_IN_LOST_MODE");
        }
        self.take_state("ACTIVE");
        status("stopLostModeStatus", "SUCCESS")
    }

    /// Takes a state and remembers it, if it is another.
    pub(super) fn take_state(&mut self, state: &str) {
        if self.state.applied_state != state {
            state.clone_into(&mut self.state.applied_state);
            self.happened(Happening::State(state.to_owned()));
        }
    }
}
