//! Connections, migrations and the two roles of a database: the owner migrates, the application role
//! works (and may only add to the journal).

use std::{str::FromStr, time::Duration};

use sqlx::{
    AssertSqlSafe, Connection, PgConnection, PgPool,
    migrate::{MigrateError, Migrator},
    postgres::{PgConnectOptions, PgPoolOptions},
};

/// The chassis's own tables, the same in every service database.
pub static CHASSIS: Migrator = sqlx::migrate!();

const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection that comes back to its pool is asked whether it is well. One that does not say so by then is let go:
/// the server may be gone without a word, or still wait for a lock on behalf of somebody who gave up.
const RELEASE_LIMIT: Duration = Duration::from_secs(2);
/// A database that has not answered a worker by then is away.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// How statements are planned on a pool's connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plans {
    /// For each execution, with its arguments: for reads, whose filters may be absent.
    Custom,
    /// Once: for the few statements of writes (docs/adr/0008-two-pools.md).
    Generic,
}

/// The URL of a server whose certificate is signed by the authority in this file: checked, with its name, unless the URL
/// says otherwise.
///
/// # Errors
/// When it is no URL; the error does not repeat it.
pub fn with_authority(url: &str, ca_file: Option<&str>) -> Result<String, url::ParseError> {
    let Some(ca_file) = ca_file else { return Ok(url.to_owned()) };
    let mut url = url::Url::parse(url)?;
    let says = |names: &[&str]| url.query_pairs().any(|(name, _)| names.contains(&name.as_ref()));
    let (mode, authority) =
        (says(&["sslmode", "ssl-mode"]), says(&["sslrootcert", "ssl-root-cert", "ssl-ca"]));
    if !mode {
        url.query_pairs_mut().append_pair("sslmode", "verify-full");
    }
    if !authority {
        url.query_pairs_mut().append_pair("sslrootcert", ca_file);
    }
    Ok(url.into())
}

/// Opens a pool. Connections whose other end has vanished without a word end after a minute, and with them their
/// locks and the relay's lease.
///
/// # Errors
/// When the URL cannot be read.
pub fn pool(url: &str, service: &str, plans: Plans, connections: u32) -> Result<PgPool, sqlx::Error> {
    let plan_cache_mode = match plans {
        Plans::Custom => "force_custom_plan",
        Plans::Generic => "force_generic_plan",
    };
    let options = PgConnectOptions::from_str(url)?.application_name(&application_name(service)).options([
        ("plan_cache_mode", plan_cache_mode),
        ("jit", "off"),
        ("idle_in_transaction_session_timeout", "60000"),
        ("tcp_keepalives_idle", "20"),
        ("tcp_keepalives_interval", "10"),
        ("tcp_keepalives_count", "4"),
        ("tcp_user_timeout", "60000"),
        // Of a connection that was let go, the server gives up what it still does.
        ("client_connection_check_interval", "5000"),
    ]);
    Ok(PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .idle_timeout(Duration::from_secs(300))
        // The pool itself asks the same afterwards, but would wait for an answer without end: for what is broken by then,
        // this is one question more for each time that a connection is used.
        .after_release(|connection, _| {
            Box::pin(async {
                let answered = tokio::time::timeout(RELEASE_LIMIT, connection.ping()).await;
                answered.unwrap_or_else(|late| Err(sqlx::Error::Io(late.into()))).map(|()| true)
            })
        })
        .connect_lazy_with(options))
}

/// As [`pool`], for what a service does: PostgreSQL gives up a statement that takes longer than anybody waits for it, and
/// with it its locks, also where it has not noticed that the connection is gone. Migrations and operators' own work take as
/// long as they do.
///
/// # Errors
/// When the URL cannot be read.
pub(crate) fn pool_of_service(
    url: &str,
    service: &str,
    plans: Plans,
    connections: u32,
    longest: Duration,
) -> Result<PgPool, sqlx::Error> {
    let pool = pool(url, service, plans, connections)?;
    let options = PgConnectOptions::clone(&pool.connect_options());
    // Workers wait for the database for so long whatever their tasks may take.
    let limit = statement_timeout(longest.max(ANSWER_LIMIT));
    pool.set_connect_options(options.options([("statement_timeout", limit)]));
    Ok(pool)
}

/// In milliseconds, as PostgreSQL takes it; zero would mean that there is none.
pub(crate) fn statement_timeout(longest: Duration) -> i32 {
    i32::try_from(longest.as_millis()).unwrap_or(i32::MAX).max(1)
}

/// How the connections of a service are named.
pub(crate) fn application_name(service: &str) -> String {
    format!("quenty-{service}")
}

/// For a worker, whom no client's patience ends: what it asks of its database, for as long as that may take.
///
/// # Errors
/// Those of the work, and that it took too long.
pub(crate) async fn in_time<T>(work: impl Future<Output = crate::Result<T>>) -> crate::Result<T> {
    let late = |_| crate::Error::internal(format!("the database did not answer within {ANSWER_LIMIT:?}"));
    tokio::time::timeout(ANSWER_LIMIT, work).await.map_err(late)?
}

#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Brings a database up to date as its owner, then grants the application role what it needs and no more.
///
/// # Errors
/// When a migration fails; what was applied before stays.
pub async fn migrate(owner_url: &str, app_role: &str, migrations: &Migrator) -> Result<(), MigrationError> {
    let mut connection = PgConnection::connect(owner_url).await?;
    CHASSIS.run(&mut connection).await?;
    migrations.run(&mut connection).await?;
    grant(&mut connection, app_role).await?;
    connection.close().await?;
    Ok(())
}

async fn grant(connection: &mut PgConnection, role: &str) -> Result<(), sqlx::Error> {
    let role = quote_identifier(role);
    let statements = format!(
        "grant usage on schema public, quenty to {role};
         grant select, insert, update, delete on all tables in schema public, quenty to {role};
         grant usage, select on all sequences in schema public, quenty to {role};
         revoke update, delete on quenty.journal, quenty.journal_personal from {role};
         grant execute on function quenty.erase_personal(jsonb) to {role};
         revoke delete on quenty.stream_heads from {role};
         revoke update, delete on quenty.erased, quenty.heard from {role};
         revoke insert, update, delete on quenty.migrations from {role};
         do $$ begin if to_regclass('public._sqlx_migrations') is not null then
           revoke insert, update, delete on public._sqlx_migrations from {role}; end if; end $$;"
    );
    sqlx::raw_sql(AssertSqlSafe(statements)).execute(connection).await.map(drop)
}

/// Whether every migration that this binary knows has been applied.
///
/// # Errors
/// When the database cannot be asked.
pub async fn is_migrated(db: &PgPool, migrations: &Migrator) -> Result<bool, sqlx::Error> {
    // One for all four questions: each comes back to the pool too late for the next, which would open another.
    let mut connection = db.acquire().await?;
    for (table, wanted) in [("quenty.migrations", &CHASSIS), ("public._sqlx_migrations", migrations)] {
        let exists: bool = sqlx::query_scalar("select to_regclass($1) is not null")
            .bind(table)
            .fetch_one(&mut *connection)
            .await?;
        if !exists {
            return Ok(false);
        }
        let done: Vec<i64> =
            sqlx::query_scalar(AssertSqlSafe(format!("select version from {table} where success")))
                .fetch_all(&mut *connection)
                .await?;
        if wanted.iter().any(|migration| !done.contains(&migration.version)) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Creates a service's database with its two roles, as a superuser; does nothing that is done already.
/// `PUBLIC` loses its right to connect, which PostgreSQL grants by default.
///
/// # Errors
/// When the server refuses.
pub async fn create_database(
    superuser_url: &str,
    database: &str,
    owner_password: &str,
    app_password: &str,
) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(superuser_url).await?;
    for (role, password) in [(owner_role(database), owner_password), (app_role(database), app_password)] {
        put_role(&mut connection, &role, "", password).await?;
    }
    let exists: bool = sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
        .bind(database)
        .fetch_one(&mut connection)
        .await?;
    let (name, owner, app) = (
        quote_identifier(database),
        quote_identifier(&owner_role(database)),
        quote_identifier(&app_role(database)),
    );
    if !exists {
        sqlx::raw_sql(AssertSqlSafe(format!("create database {name} owner {owner}")))
            .execute(&mut connection)
            .await?;
    }
    let rights =
        format!("revoke all on database {name} from public; grant connect on database {name} to {app};");
    sqlx::raw_sql(AssertSqlSafe(rights)).execute(&mut connection).await?;
    connection.close().await
}

/// As whom a replica follows its primary.
pub const REPLICATION_ROLE: &str = "quenty_replica";

/// Creates the role that may follow this server and nothing else, or gives it this password.
///
/// # Errors
/// When the server refuses.
pub async fn create_replication_role(superuser_url: &str, password: &str) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(superuser_url).await?;
    put_role(&mut connection, REPLICATION_ROLE, "replication", password).await?;
    connection.close().await
}

/// Creates a role that logs in with this password, or gives it the password.
async fn put_role(
    connection: &mut PgConnection,
    role: &str,
    rights: &str,
    password: &str,
) -> Result<(), sqlx::Error> {
    let exists: bool = sqlx::query_scalar("select exists (select from pg_roles where rolname = $1)")
        .bind(role)
        .fetch_one(&mut *connection)
        .await?;
    let verb = if exists { "alter" } else { "create" };
    let statement =
        format!("{verb} role {} {rights} login password {}", quote_identifier(role), quote_literal(password));
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await.map(drop)
}

#[must_use]
pub fn owner_role(database: &str) -> String {
    format!("{database}_owner")
}

#[must_use]
pub fn app_role(database: &str) -> String {
    format!("{database}_app")
}

fn quote_identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn quote_literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_makes_the_server_prove_its_name_unless_the_url_says_otherwise() {
        let url = "postgres://order_app:p%40ss@db/order_db";
        assert_eq!(with_authority(url, None).unwrap(), url);
        let checked = with_authority(url, Some("/etc/quenty/ca.pem")).unwrap();
        assert_eq!(checked, format!("{url}?sslmode=verify-full&sslrootcert=%2Fetc%2Fquenty%2Fca.pem"));
        assert!(PgConnectOptions::from_str(&checked).is_ok());
        let said = format!("{url}?sslmode=disable&sslrootcert=/x");
        assert_eq!(with_authority(&said, Some("/etc/quenty/ca.pem")).unwrap(), said);
        assert!(!with_authority("hush", Some("/x")).unwrap_err().to_string().contains("hush"));
    }

    #[test]
    fn a_statement_always_has_a_limit() {
        let limits = [Duration::ZERO, Duration::from_millis(300), Duration::MAX].map(statement_timeout);
        assert_eq!(limits, [1, 300, i32::MAX]);
    }
}
