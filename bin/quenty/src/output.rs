//! Printing for people and for pipes.

use std::{fmt, io};

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

/// As one word of a command that people copy into a shell.
pub fn quoted(what: impl fmt::Display) -> String {
    let word = what.to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+,:@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Whether a command ended because nobody reads what it prints any more.
pub fn nobody_reads(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_shell_reads_what_is_quoted_as_one_word() {
        assert_eq!(quoted("/var/lib/quenty-2/datos_añejos"), "/var/lib/quenty-2/datos_añejos");
        for word in ["/home/ana/my data", "it's", "$HOME/`id`;*", "~/data", "a\nb", ""] {
            let printed = Command::new("sh").args(["-c", &format!("printf %s {}", quoted(word))]).output();
            assert_eq!(String::from_utf8(printed.unwrap().stdout).unwrap(), word);
        }
    }
}
