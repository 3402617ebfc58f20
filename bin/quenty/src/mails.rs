//! The folder into which an embedded platform puts its mails: a JSON file each.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

/// Oldest first; all, or those to one address.
pub fn read(folder: &Path, to: Option<&str>) -> Result<Vec<Value>> {
    let mut mails = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_none_or(|ending| ending != "json") {
            continue;
        }
        let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let mail: Value =
            serde_json::from_slice(&bytes).with_context(|| format!("{} is no mail", path.display()))?;
        let address = mail["to"].as_str().unwrap_or_default();
        if to.is_none_or(|to| to.eq_ignore_ascii_case(address)) {
            mails.push(mail);
        }
    }
    mails.sort_by(|a, b| a["sent_at"].as_str().cmp(&b["sent_at"].as_str()));
    Ok(mails)
}
