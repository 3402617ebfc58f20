//! Printing for people and for pipes.

use std::io;

/// As `println!`, but a reader that has seen enough (`| head`) ends the command instead of making it panic.
macro_rules! say {
    ($($what:tt)*) => {{
        use std::io::Write as _;
        writeln!(std::io::stdout(), $($what)*)
    }};
}
pub(crate) use say;

/// As `eprintln!`, but whoever keeps something running goes on when nobody hears it any more: a terminal was closed.
macro_rules! tell {
    ($($what:tt)*) => {{
        use std::io::Write as _;
        drop(writeln!(std::io::stderr(), $($what)*));
    }};
}
pub(crate) use tell;

/// Whether a command ended because nobody reads what it prints any more.
pub fn nobody_reads(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
