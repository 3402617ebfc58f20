//! Whether a database says a word anywhere: for tests of what is left of a person who was erased.

use sqlx::{AssertSqlSafe, PgPool};

/// The tables of a service, the chassis's too, that have a row with one of these words in any column, in any case.
pub async fn mentions(db: &PgPool, words: &[&str]) -> Vec<String> {
    let tables: Vec<String> = sqlx::query_scalar(
        "select format('%I.%I', table_schema, table_name) from information_schema.tables
         where table_schema in ('public', 'quenty') and table_type = 'BASE TABLE' order by 1",
    )
    .fetch_all(db)
    .await
    .expect("the tables can be listed");
    assert!(tables.iter().any(|table| table == "quenty.journal_personal"), "{tables:?}");
    let mut found = Vec::new();
    for table in tables {
        for word in words {
            let row: Option<String> = sqlx::query_scalar(AssertSqlSafe(format!(
                "select t::text from {table} t where position(lower($1) in lower(t::text)) > 0 limit 1"
            )))
            .bind(word)
            .fetch_optional(db)
            .await
            .expect("a table can be read");
            found.extend(row.map(|row| format!("{table} says {word}: {row}")));
        }
    }
    found
}
