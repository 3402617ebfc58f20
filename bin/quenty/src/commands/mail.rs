//! `quenty mail`: the mails of an embedded platform, which go to a folder instead of a server.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};

use crate::{embedded::default_folder, mails, output::say};

#[derive(clap::Args, Debug)]
pub struct Args {
    /// The platform's data folder
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Only mails to this address
    #[arg(long)]
    to: Option<String>,
    /// Print JSON, one mail a line
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let folder = args.data.clone().unwrap_or_else(default_folder).join("mail");
    let mails = mails::read(&folder, args.to.as_deref())
        .context("name the data folder of a platform with --data; only an embedded one keeps its mails")?;
    for mail in &mails {
        if args.json {
            say!("{mail}")?;
        } else {
            let text = |name: &str| mail[name].as_str().unwrap_or_default().to_owned();
            say!("{}  {:<32} {}\n    {}", text("sent_at"), text("to"), text("subject"), text("link"))?;
        }
    }
    if mails.is_empty() && !args.json {
        say!("no mails in {}", folder.display())?;
    }
    Ok(ExitCode::SUCCESS)
}
