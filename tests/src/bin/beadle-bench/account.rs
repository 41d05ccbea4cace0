//! CPU and memory by the kernel's own accounting: the server's process, and its PostgreSQL cluster's processes alone.

use beadle_server::store::{AnyConnection, Database};
use diesel::RunQueryDsl as _;
use diesel::sql_types::Integer;

/// Clock ticks a second in /proc/PID/stat; fixed by Linux for user space.
const TICKS: f64 = 100.0;

/// What is accounted for.
pub(crate) struct Account {
    server: u32,
    postmaster: Option<u32>,
}

#[derive(diesel::QueryableByName)]
struct Backend {
    #[diesel(sql_type = Integer)]
    pid: i32,
}

impl Account {
    /// The server's process and, on PostgreSQL, the postmaster whose child serves a connection of `database`.
    pub(crate) fn new(server: u32, database: &Database) -> Self {
        let postmaster = database
            .with_own_connection(|connection| match connection {
                AnyConnection::Sqlite(_) => Ok(None),
                AnyConnection::Postgres(connection) => {
                    let backend: Backend =
                        diesel::sql_query("SELECT pg_backend_pid() AS pid").get_result(connection)?;
                    let backend = u32::try_from(backend.pid).expect("a process id");
                    let name = std::fs::read_to_string(format!("/proc/{backend}/comm")).unwrap_or_default();
                    assert!(name.starts_with("postgres"), "PostgreSQL must run on this machine to be accounted for");
                    Ok(parent(backend))
                }
            })
            .expect("asks");
        Self { server, postmaster }
    }

    /// User and system time so far, in seconds.
    pub(crate) fn spent(&self) -> f64 {
        let database = self.postmaster.map_or(0.0, |postmaster| {
            // Backends that have ended are in the postmaster's account of its children.
            processes().filter(|pid| parent(*pid) == Some(postmaster)).map(|pid| cpu(pid, false)).sum::<f64>()
                + cpu(postmaster, true)
        });
        cpu(self.server, false) + database
    }

    /// From now on, [`Account::peak_megabytes`] is the peak since now.
    pub(crate) fn forget_peak(&self) {
        std::fs::write(format!("/proc/{}/clear_refs", self.server), "5").expect("the server is a process of our own");
    }

    /// The most memory that the server's process held.
    pub(crate) fn peak_megabytes(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.server)).expect("the server runs");
        let kilobytes: f64 = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.trim().parse().ok())
            .expect("VmHWM");
        kilobytes / 1024.0
    }
}

fn processes() -> impl Iterator<Item = u32> {
    let entries = std::fs::read_dir("/proc").expect("/proc");
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

/// The fields of /proc/PID/stat after the name; `None` when the process has gone.
fn stat(pid: u32) -> Option<Vec<String>> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    Some(rest.split(' ').map(str::to_owned).collect())
}

fn parent(pid: u32) -> Option<u32> {
    stat(pid)?.get(1)?.parse().ok()
}

fn cpu(pid: u32, with_children: bool) -> f64 {
    let last = if with_children { 15 } else { 13 };
    stat(pid)
        .and_then(|fields| {
            Some(fields.get(11..last)?.iter().filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>())
        })
        .map_or(0.0, |ticks| ticks / TICKS)
}
