//! A database of its own for each test: cloned from a template that is migrated once per set of migrations.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use anyhow::{Context, Result};
use quenty_platform::db;
use sqlx::{AssertSqlSafe, Connection, PgConnection, migrate::Migrator};

use crate::shared::{SharedPostgres, shared_postgres};

const PASSWORD: &str = "for-tests-on-loopback";

/// A migrated database that one test owns.
#[derive(Debug, Clone)]
pub struct TestDatabase {
    pub name: String,
    /// As the service's application role.
    pub app_url: String,
    /// As the owner of the tables.
    pub owner_url: String,
    /// As the server's superuser.
    pub superuser_url: String,
}

impl TestDatabase {
    /// Clones the service's template; makes the template first if no other test has.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn create(service: &str, migrations: &Migrator) -> Result<Self> {
        let server = shared_postgres().await?;
        let template = template_name(service, migrations);
        let mut admin = PgConnection::connect(&server.superuser_url("postgres")).await?;
        // Tests are processes of their own: the lock is what makes the template once.
        sqlx::query("select pg_advisory_lock(hashtextextended($1, 11))")
            .bind(&template)
            .execute(&mut admin)
            .await?;
        let made = make_template(&mut admin, migrations, &template, &server.superuser_url(&template)).await;
        let name = format!("t_{}_{}", std::process::id(), quenty_kernel::id::new_uuid().simple());
        if made.is_ok() {
            let (owner, app) = (db::owner_role(&template), db::app_role(&template));
            // Files are copied for half of what the default costs, which writes every page of the template to the log.
            let created =
                format!("create database {name} template {template} owner {owner} strategy file_copy");
            run(&mut admin, created).await?;
            run(&mut admin, format!("revoke all on database {name} from public")).await?;
            run(&mut admin, format!("grant connect on database {name} to {app}")).await?;
        }
        sqlx::query("select pg_advisory_unlock(hashtextextended($1, 11))")
            .bind(&template)
            .execute(&mut admin)
            .await?;
        admin.close().await?;
        made?;
        let superuser_url = server.superuser_url(&name);
        let as_role = |role: &str| with_credentials(&superuser_url, role);
        Ok(Self {
            app_url: as_role(&db::app_role(&template))?,
            owner_url: as_role(&db::owner_role(&template))?,
            superuser_url: superuser_url.clone(),
            name,
        })
    }
}

/// Drops the databases of test processes that have ended: a run of all tests would otherwise leave gigabytes
/// behind until its server goes.
///
/// # Errors
/// When the server refuses.
pub async fn drop_abandoned(server: &SharedPostgres) -> Result<()> {
    let mut admin = PgConnection::connect(&server.superuser_url("postgres")).await?;
    let names: Vec<String> = sqlx::query_scalar("select datname from pg_database where datname like 't\\_%'")
        .fetch_all(&mut admin)
        .await?;
    for name in names {
        let owner = name.split('_').nth(1).context("the name holds the process id")?;
        if !Path::new("/proc").join(owner).exists() {
            run(&mut admin, format!("drop database if exists {name} with (force)")).await?;
        }
    }
    admin.close().await?;
    Ok(())
}

fn with_credentials(url: &str, role: &str) -> Result<String> {
    let host = url
        .split_once("://")
        .and_then(|(_, rest)| rest.split_once('@'))
        .map(|(_, host)| host)
        .context("a URL with credentials")?;
    Ok(format!("postgres://{role}:{PASSWORD}@{host}"))
}

fn template_name(service: &str, migrations: &Migrator) -> String {
    let mut hasher = DefaultHasher::new();
    for migration in db::CHASSIS.iter().chain(migrations.iter()) {
        (migration.version, &migration.checksum).hash(&mut hasher);
    }
    format!("tpl_{service}_{:016x}", hasher.finish())
}

async fn make_template(
    admin: &mut PgConnection,
    migrations: &Migrator,
    template: &str,
    superuser_url: &str,
) -> Result<()> {
    let exists: bool =
        sqlx::query_scalar("select exists (select from pg_database where datname = $1 and datistemplate)")
            .bind(template)
            .fetch_one(&mut *admin)
            .await?;
    if exists {
        return Ok(());
    }
    run(admin, format!("drop database if exists {template} with (force)")).await?;
    let postgres = superuser_url.replace(&format!("/{template}"), "/postgres");
    db::create_database(&postgres, template, PASSWORD, PASSWORD).await?;
    db::migrate(
        &with_credentials(superuser_url, &db::owner_role(template))?,
        &db::app_role(template),
        migrations,
    )
    .await?;
    // The first connection after a change writes the file that the next ones start from; copies take it with them.
    PgConnection::connect(superuser_url).await?.close().await?;
    run(admin, format!("alter database {template} with is_template true allow_connections false")).await
}

async fn run(connection: &mut PgConnection, statement: String) -> Result<()> {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await.map(drop).map_err(Into::into)
}
