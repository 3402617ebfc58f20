//! `quenty mail`: the mails of an embedded platform, which go to a folder instead of a server.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::embedded::default_folder;

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
    let mut mails = Vec::new();
    for entry in std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "json") {
            let mail: Value = serde_json::from_slice(&std::fs::read(&path)?)
                .with_context(|| format!("cannot read {}", path.display()))?;
            mails.push(mail);
        }
    }
    mails.retain(|mail| args.to.as_deref().is_none_or(|to| mail["to"].as_str() == Some(to)));
    mails.sort_by(|a, b| a["sent_at"].as_str().cmp(&b["sent_at"].as_str()));
    for mail in &mails {
        if args.json {
            println!("{mail}");
        } else {
            let text = |name: &str| mail[name].as_str().unwrap_or_default().to_owned();
            println!("{}  {:<32} {}\n    {}", text("sent_at"), text("to"), text("subject"), text("link"));
        }
    }
    if mails.is_empty() && !args.json {
        println!("no mails in {}", folder.display());
    }
    Ok(ExitCode::SUCCESS)
}
