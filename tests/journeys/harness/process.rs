//! One `quenty` process, started as an operator starts it: arguments, environment, a log file.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs::File,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Output, Stdio},
    time::Duration,
};

use nix::sys::signal::Signal;
use quenty_platform::bound_process::BoundProcess;

use super::until;

/// What a process finds in its environment; nothing of the test's own leaks in.
pub type Environment = BTreeMap<String, String>;

const TAIL_LINES: usize = 40;

/// A running process. Dropping it kills it; if the test fails, it shows the end of the log.
pub struct Process {
    name: String,
    child: BoundProcess,
    log: PathBuf,
}

/// Cargo names it to tests; whoever else uses this harness (the benchmarks) has to name it.
fn binary() -> OsString {
    let built = option_env!("CARGO_BIN_EXE_quenty").map(OsString::from);
    built.or_else(|| std::env::var_os("QUENTY_BIN")).expect("QUENTY_BIN names the binary")
}

fn command(arguments: &[&str], environment: &Environment) -> Command {
    let mut command = Command::new(binary());
    command.args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.envs(environment).stdin(Stdio::null());
    command
}

/// Runs a command of `quenty` to its end.
pub async fn run(arguments: &[&str], environment: &Environment) -> Output {
    let mut command = tokio::process::Command::from(command(arguments, environment));
    let ended = tokio::time::timeout(Duration::from_secs(60), command.kill_on_drop(true).output()).await;
    ended.unwrap_or_else(|_| panic!("quenty {arguments:?} does not end")).expect("quenty can be run")
}

impl Process {
    /// Starts `quenty ARGUMENTS`; the log is appended to.
    pub fn start(name: &str, arguments: &[&str], environment: &Environment, log: &Path) -> Self {
        let file = File::options().create(true).append(true).open(log).expect("a log file");
        let mut command = command(arguments, environment);
        command.stdout(file.try_clone().expect("a second handle of the log")).stderr(file);
        Self::spawn(name, command, log)
    }

    /// As [`Process::start`], from a terminal that is closed: nobody takes what it says to people, which would end up in
    /// the log otherwise.
    pub fn start_unheard(name: &str, arguments: &[&str], environment: &Environment, log: &Path) -> Self {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let file = File::options().create(true).append(true).open(log).expect("a log file");
        // Where the tests themselves run under `nohup`, it would not hear that its terminal is gone.
        let mut command = Command::new("env");
        command.arg("--default-signal=HUP").arg(binary()).args(arguments).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).envs(environment);
        command.stdin(Stdio::null()).stdout(file).stderr(writer);
        Self::spawn(name, command, log)
    }

    fn spawn(name: &str, command: Command, log: &Path) -> Self {
        let child = BoundProcess::spawn(name, command, Signal::SIGKILL).expect("quenty starts");
        Self { name: name.to_owned(), child, log: log.to_owned() }
    }

    pub fn pid(&self) -> i32 {
        self.child.pid()
    }

    pub fn signal(&self, signal: Signal) {
        self.child.signal(signal).expect("a signal to a child");
    }

    /// SIGKILL, and gone when this returns. Panics if it had ended by itself: then this was no blow.
    pub async fn kill(&self) {
        self.signal(Signal::SIGKILL);
        let status = self.ended().await;
        let killed = Some(Signal::SIGKILL as i32);
        assert_eq!(status.signal(), killed, "{} had ended by itself: {status}\n{}", self.name, self.tail());
    }

    /// Waits for its end, however it comes.
    pub async fn ended(&self) -> ExitStatus {
        let what = format!("{} ends", self.name);
        until(Duration::from_secs(40), &what, async || self.child.exit_status()).await
    }

    pub fn exit_status(&self) -> Option<ExitStatus> {
        self.child.exit_status()
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The last lines of the log, for people.
    pub fn tail(&self) -> String {
        let text = self.log();
        let lines: Vec<_> = text.lines().rev().take(TAIL_LINES).collect();
        let told: String = lines.into_iter().rev().map(|line| format!("    {line}\n")).collect();
        format!("--- the end of what {} logged\n{told}", self.name)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.tail());
        }
        if self.child.signal(Signal::SIGKILL).is_ok() {
            let _ = self.child.wait(Duration::from_secs(10));
        }
    }
}
