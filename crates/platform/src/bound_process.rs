//! Child processes that cannot outlive this one: the kernel signals them when their parent dies, even by SIGKILL.
//!
//! The parent-death signal of Linux is bound to the *thread* that spawned the child, so each child gets a
//! thread of its own that lives exactly as long as it. Never spawn a server from a pool's thread instead: the
//! pool would take the server down when it retires the thread.
//!
//! What a child has started itself and leaves in its process group ends with it: workers of a killed master would
//! keep its port.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::{Pid, getppid};
use tokio::sync::watch;

/// A running child. Dropping it leaves the child alone; signal it first.
#[derive(Debug)]
pub struct BoundProcess {
    pid: Pid,
    exit: Arc<Exit>,
}

#[derive(Debug, Default)]
struct Exit {
    status: Mutex<Option<ExitStatus>>,
    known: Condvar,
    /// The same for who waits without a thread.
    has_ended: watch::Sender<bool>,
}

impl Exit {
    fn lock(&self) -> MutexGuard<'_, Option<ExitStatus>> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BoundProcess {
    /// Starts `command` in a process group of its own, so that a terminal's Ctrl-C reaches us and not it.
    pub fn spawn(name: &str, mut command: Command, on_parent_death: Signal) -> io::Result<Self> {
        bind_to_parent(&mut command, on_parent_death);
        command.process_group(0);
        let exit = Arc::new(Exit::default());
        let (report, started) = mpsc::sync_channel(1);
        let seen = Arc::clone(&exit);
        thread::Builder::new().name(name.to_owned()).spawn(move || match command.spawn() {
            Ok(child) => {
                // The receiver is gone only if `spawn` below was; the child is watched all the same.
                let _ = report.send(Ok(pid_of(&child)));
                watch(child, &seen);
            }
            Err(error) => {
                let _ = report.send(Err(error));
            }
        })?;
        let pid = started.recv().map_err(io::Error::other)??;
        Ok(Self { pid, exit })
    }

    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid.as_raw()
    }

    /// Signals the child, or does nothing when it has ended: its number may be someone else's by then.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        let status = self.exit.lock();
        if status.is_some() {
            return Ok(());
        }
        match kill(self.pid, signal) {
            Ok(()) | Err(Errno::ESRCH) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    /// How the child ended, if it has.
    #[must_use]
    pub fn exit_status(&self) -> Option<ExitStatus> {
        *self.exit.lock()
    }

    /// Waits until the child ends; nothing if nobody can learn how it did.
    pub async fn ended(&self) -> Option<ExitStatus> {
        // The sender lives as long as we do.
        let _ = self.exit.has_ended.subscribe().wait_for(|ended| *ended).await;
        self.exit_status()
    }

    /// Blocks until the child ends, at most `limit`.
    #[must_use]
    pub fn wait(&self, limit: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + limit;
        let mut status = self.exit.lock();
        while status.is_none() {
            let left = deadline.checked_duration_since(Instant::now())?;
            (status, _) = self.exit.known.wait_timeout(status, left).unwrap_or_else(PoisonError::into_inner);
        }
        *status
    }
}

fn pid_of(child: &Child) -> Pid {
    Pid::from_raw(child.id().cast_signed())
}

/// Ends when the child has; reaps it under the lock, so that `signal` never meets a reused number.
fn watch(mut child: Child, exit: &Exit) {
    while waitid(Id::Pid(pid_of(&child)), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT) == Err(Errno::EINTR) {}
    // Until it is reaped its number, which is its group's, is nobody else's. An empty group is no failure.
    let _ = killpg(pid_of(&child), Signal::SIGKILL);
    let mut status = exit.lock();
    match child.wait() {
        Ok(ended) => *status = Some(ended),
        Err(error) => tracing::error!(%error, "cannot learn how a child process ended"),
    }
    exit.known.notify_all();
    exit.has_ended.send_replace(true);
}

#[expect(unsafe_code, reason = "std has no safe way to run code between fork and exec")]
fn bind_to_parent(command: &mut Command, on_parent_death: Signal) {
    let parent = Pid::this();
    let bind = move || {
        nix::sys::prctl::set_pdeathsig(on_parent_death)?;
        // The parent may have died before the line above took effect.
        if getppid() == parent { Ok(()) } else { Err(Errno::ESRCH.into()) }
    };
    // SAFETY: the closure makes two system calls, both async-signal-safe, and allocates nothing.
    // It runs after std has changed the user, which would clear the signal again.
    unsafe {
        command.pre_exec(bind);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_how_the_child_ended() {
        let mut command = Command::new("sh");
        command.args(["-c", "exit 7"]);
        let child = BoundProcess::spawn("test", command, Signal::SIGKILL).unwrap();
        assert_eq!(child.wait(Duration::from_secs(10)).unwrap().code(), Some(7));
        child.signal(Signal::SIGTERM).unwrap();
    }

    #[test]
    fn outlives_the_thread_that_asked_for_it() {
        let child = thread::spawn(|| {
            let mut command = Command::new("sleep");
            command.arg("60");
            BoundProcess::spawn("test", command, Signal::SIGKILL).unwrap()
        })
        .join()
        .unwrap();
        assert_eq!(child.wait(Duration::from_millis(200)), None);
        child.signal(Signal::SIGKILL).unwrap();
        assert!(child.wait(Duration::from_secs(10)).is_some());
    }

    #[tokio::test]
    async fn takes_along_what_the_child_leaves_in_its_group() {
        let folder = tempfile::tempdir().unwrap();
        let pid_file = folder.path().join("pid");
        let mut command = Command::new("sh");
        command.current_dir(folder.path()).args(["-c", "sleep 60 & echo $! >pid; wait"]);
        let child = BoundProcess::spawn("test", command, Signal::SIGKILL).unwrap();
        let left: i32 = loop {
            let written = std::fs::read_to_string(&pid_file).unwrap_or_default();
            if let Ok(pid) = written.trim().parse() {
                break pid;
            }
            tokio::task::yield_now().await;
        };
        child.signal(Signal::SIGKILL).unwrap();
        assert!(child.ended().await.is_some());
        // A zombie without a parent may be there for a moment, and has no program any more.
        let lives = || std::fs::read(format!("/proc/{left}/cmdline")).is_ok_and(|line| !line.is_empty());
        let deadline = Instant::now() + Duration::from_secs(10);
        while lives() {
            assert!(Instant::now() < deadline, "process {left} stays");
            tokio::task::yield_now().await;
        }
    }

    #[test]
    fn a_missing_program_is_an_error() {
        let command = Command::new("/nonexistent/program");
        let error = BoundProcess::spawn("test", command, Signal::SIGKILL).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
