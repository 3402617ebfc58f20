//! What became of a file: for people as a page of text, for machines as JSON.

use std::{collections::BTreeMap, fmt, path::Path};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How many errors people are shown; the JSON has all that the platform has kept.
const SHOWN: usize = 10;

/// A row that could not be taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowError {
    /// Of the file, the header being line 1; 0 for the file as a whole.
    pub line: u64,
    pub field: String,
    pub code: String,
    pub detail: String,
}

#[derive(Debug, Serialize)]
pub struct Report {
    pub read: u64,
    pub created: u64,
    pub already_there: u64,
    pub rejected: u64,
    /// How often each assumption was made.
    pub assumed: BTreeMap<String, u64>,
    pub errors: Vec<RowError>,
    #[serde(skip)]
    dry_run: bool,
    /// Why the file as a whole was given up.
    #[serde(skip)]
    failure: Option<String>,
}

impl Report {
    /// From an import that has ended, and its errors as CSV.
    pub(super) fn of(import: &Value, errors: &[u8]) -> Result<Self> {
        let count =
            |name: &str| import[name].as_u64().with_context(|| format!("the import has no {name}: {import}"));
        let failure = import["failure"].as_str().map(str::to_owned);
        let mut rows = csv::Reader::from_reader(errors)
            .into_deserialize()
            .map(|row| Ok(unescaped(row?)))
            .collect::<Result<Vec<_>, csv::Error>>()?;
        if let Some(failure) = &failure {
            rows.push(RowError {
                line: 0,
                field: String::new(),
                code: "FILE_UNREADABLE".to_owned(),
                detail: failure.clone(),
            });
        }
        Ok(Self {
            read: count("read")?,
            created: count("created")?,
            already_there: count("already_there")?,
            rejected: count("rejected")?,
            assumed: serde_json::from_value(import["assumed"].clone())?,
            errors: rows,
            dry_run: import["dry_run"] == true,
            failure,
        })
    }

    /// Whether the file could be worked through; rejected rows are an answer, not a failure.
    pub fn is_whole(&self) -> bool {
        self.failure.is_none()
    }

    pub fn write(&self, file: &Path) -> Result<()> {
        std::fs::write(file, serde_json::to_string_pretty(self)? + "\n")
            .with_context(|| format!("cannot write {}", file.display()))
    }
}

/// Files of ours escape what a spreadsheet would run; this is none.
fn unescaped(row: RowError) -> RowError {
    let plain = |cell: String| match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@', '\t', '\r']) => rest.to_owned(),
        _ => cell,
    };
    RowError { field: plain(row.field), detail: plain(row.detail), ..row }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(failure) = &self.failure {
            writeln!(f, "\n  The file was given up: {failure}")?;
        }
        let would = if self.dry_run { "would be created (nothing was changed)" } else { "created" };
        writeln!(f, "\n  orders      {} read", self.read)?;
        writeln!(
            f,
            "              {} {would}, {} there already, {} rejected",
            self.created, self.already_there, self.rejected
        )?;
        for (assumption, times) in &self.assumed {
            writeln!(f, "  assumed     {times:>6} × {}", assumption.replace('_', " "))?;
        }
        let rows: Vec<_> = self.errors.iter().filter(|error| error.line > 0).collect();
        for error in rows.iter().take(SHOWN) {
            writeln!(f, "  line {:<6} {}: {} {}", error.line, error.field, error.code, error.detail)?;
        }
        let kept = rows.len();
        // As many as orders were rejected, unless the platform has not kept all of them.
        let all = kept.max(usize::try_from(self.rejected).unwrap_or(usize::MAX));
        if all > kept {
            writeln!(f, "  … and {} more; --json has the first {kept}", all - kept.min(SHOWN))?;
        } else if kept > SHOWN {
            writeln!(f, "  … and {} more; --json has all", kept - SHOWN)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn import(failure: Option<&str>) -> Value {
        json!({"read": 3, "created": 1, "already_there": 1, "rejected": 1, "assumed": {"international": 1}, "dry_run": false, "failure": failure})
    }

    #[test]
    fn the_json_has_exactly_what_machines_were_promised() {
        let report =
            Report::of(&import(None), b"line,field,code,detail\n7,Total,DOES_NOT_ADD_UP,'=1 is wrong\n")
                .unwrap();
        let expected = json!({
            "read": 3, "created": 1, "already_there": 1, "rejected": 1, "assumed": {"international": 1},
            "errors": [{"line": 7, "field": "Total", "code": "DOES_NOT_ADD_UP", "detail": "=1 is wrong"}],
        });
        assert_eq!(serde_json::to_value(&report).unwrap(), expected);
        assert!(report.is_whole());
    }

    #[test]
    fn a_file_that_was_given_up_says_why() {
        let report = Report::of(&import(Some("line 9 is not UTF-8")), b"line,field,code,detail\n").unwrap();
        assert!(!report.is_whole());
        assert_eq!(report.errors[0].detail, "line 9 is not UTF-8");
        assert!(report.to_string().contains("line 9 is not UTF-8"));

        let rows = "7,Total,DOES_NOT_ADD_UP,wrong\n".repeat(SHOWN);
        let errors = format!("line,field,code,detail\n{rows}");
        let report = Report::of(&import(Some("line 9 is not UTF-8")), errors.as_bytes()).unwrap();
        assert!(!report.to_string().contains("more; --json"), "all rows are shown: {report}");
    }

    #[test]
    fn who_is_not_told_all_errors_is_told_how_many_there_are() {
        let report = |rejected: u64, kept: usize| {
            let errors =
                format!("line,field,code,detail\n{}", "7,Total,DOES_NOT_ADD_UP,wrong\n".repeat(kept));
            let mut import = import(None);
            import["rejected"] = json!(rejected);
            Report::of(&import, errors.as_bytes()).unwrap().to_string()
        };
        assert!(report(12, 12).contains("and 2 more; --json has all"));
        assert!(report(5_000, 1_000).contains("and 4990 more; --json has the first 1000"));
    }
}
