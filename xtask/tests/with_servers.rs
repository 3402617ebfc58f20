//! `cargo xtask with-servers` as the gate uses it: the real binary, real servers.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Says where the servers are, then does as told.
const TELL: &str = r#"for url in "$QUENTY_TEST_POSTGRES_URL" "$QUENTY_TEST_AMQP_URL" "$QUENTY_TEST_RABBIT_MANAGEMENT_URL"
do echo "$url"; done
"#;

struct Run {
    process: Child,
    servers: Vec<String>,
    _output: BufReader<ChildStdout>,
}

/// Runs a shell script beside the servers, up to the point where it has told where they are.
fn start(script: &str) -> Run {
    start_after("", script)
}

/// As [`start`], with something that has been done by then.
fn start_after(first: &str, script: &str) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(["with-servers", "--", "sh", "-c", &format!("{first}\n{TELL}{script}")]);
    let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(process.stdout.take().unwrap());
    let servers = output.by_ref().lines().take(3).map(|line| address(&line.unwrap())).collect();
    Run { process, servers, _output: output }
}

fn address(url: &str) -> String {
    url.rsplit_once('@').unwrap().1.split('/').next().unwrap().to_owned()
}

impl Run {
    fn assert_serving(&self) {
        assert_eq!(self.servers.len(), 3);
        for server in &self.servers {
            assert!(TcpStream::connect(server).is_ok(), "{server} does not answer");
        }
    }

    fn assert_gone(&self) {
        let deadline = Instant::now() + Duration::from_secs(30);
        for server in &self.servers {
            while TcpStream::connect(server).is_ok() {
                assert!(Instant::now() < deadline, "{server} still answers");
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }
}

#[test]
fn a_wish_to_stop_reaches_the_command_first_and_its_exit_code_is_passed_on() {
    let told = tempfile::tempdir().unwrap();
    let mark = told.path().join("told");
    let trap = format!("trap 'touch {}; exit 9' TERM", mark.display());
    let mut run = start_after(&trap, "while :; do sleep 0.05; done");
    run.assert_serving();
    kill(Pid::from_raw(run.process.id().cast_signed()), Signal::SIGTERM).unwrap();
    assert_eq!(run.process.wait().unwrap().code(), Some(9));
    assert!(fs::exists(mark).unwrap());
    run.assert_gone();
}

#[test]
fn nothing_outlives_a_killed_wrapper() {
    let mut run = start("sleep 2");
    run.assert_serving();
    run.process.kill().unwrap();
    run.process.wait().unwrap();
    run.assert_gone();
}
