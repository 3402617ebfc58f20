//! Hash chains: no gap, no change, no removal. Canonical JSON and links are computed here once more.

use std::fmt::Write;

use anyhow::Result;
use jiff_sqlx::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::{PgPool, Row};

use super::Report;

const CHUNK: i64 = 5_000;

pub(super) async fn check(service: &str, db: &PgPool, report: &mut Report) -> Result<()> {
    let mut position: (String, i64) = (String::new(), 0);
    let mut last: Option<(String, i64, Vec<u8>)> = None;
    loop {
        let rows = sqlx::query(
            "select j.*, p.salt, p.data as personal,
                    case when p.salt = ''::bytea
                         then exists (select from quenty.journal e
                                      where e.type = 'quenty.journal.erased.v1' and e.data->'event_ids' ? j.id::text)
                         else false end as erased
             from quenty.journal j left join quenty.journal_personal p on p.event_id = j.id
             where (j.stream, j.stream_version) > ($1, $2) order by j.stream, j.stream_version limit $3",
        )
        .bind(&position.0)
        .bind(position.1)
        .bind(CHUNK)
        .fetch_all(db)
        .await?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            let (stream, version): (String, i64) = (row.get("stream"), row.get("stream_version"));
            let (previous, hash): (Vec<u8>, Vec<u8>) = (row.get("prev_hash"), row.get("hash"));
            let expected = match &last {
                Some((s, v, h)) if *s == stream => (v + 1, h.clone()),
                _ => (1, vec![0; 32]),
            };
            if version != expected.0 {
                report.find(format!("{service}: {stream} has a gap before version {version}"));
            } else if previous != expected.1 {
                report.find(format!("{service}: {stream} version {version} does not follow the one before"));
            }
            if link(&row, &previous) != hash {
                report.find(format!("{service}: {stream} version {version} was changed"));
            }
            if !personal_data_fit(&row) {
                report.find(format!("{service}: the personal data of {stream} version {version} are not those that were written"));
            }
            report.facts += 1;
            position = (stream.clone(), version);
            last = Some((stream, version, hash));
        }
    }
    let broken = sqlx::query_scalar::<_, String>(
        "select coalesce(h.stream, e.stream) from quenty.stream_heads h
         full join (select distinct on (stream) stream, stream_version, hash from quenty.journal order by stream, stream_version desc) e
           on e.stream = h.stream
         where e.stream_version is distinct from h.version or e.hash is distinct from h.hash",
    )
    .fetch_all(db)
    .await?;
    for stream in broken {
        report.find(format!("{service}: {stream} does not end where its head says"));
    }
    Ok(())
}

/// The chain holds only their salted digest; what was erased has no salt, and a fact that says so.
fn personal_data_fit(row: &sqlx::postgres::PgRow) -> bool {
    let digest: Option<Vec<u8>> = row.get("personal_digest");
    let (salt, personal): (Option<Vec<u8>>, Option<Value>) = (row.get("salt"), row.get("personal"));
    match (digest, salt, personal) {
        (None, None, None) => true,
        (Some(_), Some(salt), Some(_)) if salt.is_empty() => row.get("erased"),
        (Some(digest), Some(salt), Some(personal)) => {
            let mut canonical = String::new();
            write_canonical(&personal, &mut canonical);
            Sha256::new().chain_update(salt).chain_update(canonical).finalize().to_vec() == digest
        }
        _ => false,
    }
}

fn link(row: &sqlx::postgres::PgRow, previous: &[u8]) -> Vec<u8> {
    let digest: Option<Vec<u8>> = row.get("personal_digest");
    let sealed = json!({
        "id": row.get::<uuid::Uuid, _>("id"),
        "stream": row.get::<String, _>("stream"),
        "stream_version": row.get::<i64, _>("stream_version").to_string(),
        "type": row.get::<String, _>("type"),
        "data": row.get::<Value, _>("data"),
        "personal_digest": digest.map(|bytes| bytes.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })),
        "actor": row.get::<String, _>("actor"),
        "company_id": row.get::<Option<uuid::Uuid>, _>("company_id"),
        "correlation_id": row.get::<uuid::Uuid, _>("correlation_id"),
        "causation_id": row.get::<Option<uuid::Uuid>, _>("causation_id"),
        "traceparent": row.get::<Option<String>, _>("traceparent"),
        "occurred_at": row.get::<Timestamp, _>("occurred_at").to_jiff().to_string(),
        "recorded_at": row.get::<Timestamp, _>("recorded_at").to_jiff().to_string(),
    });
    let mut canonical = String::new();
    write_canonical(&sealed, &mut canonical);
    Sha256::new().chain_update(previous).chain_update(canonical).finalize().to_vec()
}

/// RFC 8785 for what the journals hold: keys sorted, no white space, whole numbers without a fraction.
fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<_> = map.keys().collect();
            keys.sort_by(|a, b| a.encode_utf16().cmp(b.encode_utf16()));
            out.push('{');
            for (index, key) in keys.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write_canonical(&map[key], out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_canonical(item, out);
            }
            out.push(']');
        }
        Value::Number(number) => match number.as_f64() {
            Some(float) if !number.is_i64() && !number.is_u64() => out.push_str(&format!("{float}")),
            _ => out.push_str(&number.to_string()),
        },
        other => out.push_str(&other.to_string()),
    }
}
