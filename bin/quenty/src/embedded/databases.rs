//! The services' databases on the PostgreSQL of a folder.

use anyhow::{Context, Result};
use futures_util::future::try_join_all;
use quenty_platform::{Service, db, embedded_postgres::EmbeddedPostgres};
use sqlx::{Connection, PgConnection};

use super::folder::{Folder, write_private};

/// Makes what is missing, and brings all of them up to date.
pub async fn migrate(all: &[Service], folder: &Folder, postgres: &EmbeddedPostgres) -> Result<()> {
    let superuser = &superuser_url(postgres);
    close_to_public(superuser).await?;
    try_join_all(all.iter().map(|service| async move {
        let passwords = folder.secrets().database(service.database)?;
        db::create_database(superuser, service.database, &passwords.owner, &passwords.app).await?;
        let owner = db::owner_role(service.database);
        let owner = role_url(&owner, &passwords.owner, postgres.port(), service.database);
        db::migrate(&owner, &db::app_role(service.database), service.migrations)
            .await
            .with_context(|| format!("the database of {} cannot be migrated", service.name))
    }))
    .await
    .map(drop)
}

/// PostgreSQL lets every role into the databases that it makes itself.
async fn close_to_public(superuser: &str) -> Result<()> {
    let mut connection = PgConnection::connect(superuser).await?;
    sqlx::raw_sql("revoke connect on database postgres, template1 from public")
        .execute(&mut connection)
        .await?;
    Ok(connection.close().await?)
}

/// The superuser's URL, for the moment in which databases and roles are made.
pub fn superuser_url(postgres: &EmbeddedPostgres) -> String {
    on_loopback(&postgres.superuser_url("postgres"))
}

/// The application role's URL of a service's database, on the server of this port.
pub fn app_url(folder: &Folder, service: &Service, port: u16) -> Result<String> {
    let passwords = folder.secrets().database(service.database)?;
    Ok(role_url(&db::app_role(service.database), &passwords.app, port, service.database))
}

fn role_url(role: &str, password: &str, port: u16, database: &str) -> String {
    on_loopback(&format!("postgres://{role}:{password}@127.0.0.1:{port}/{database}"))
}

/// Our own: an authority or `PGSSLMODE` that the environment names is for other servers.
fn on_loopback(url: &str) -> String {
    format!("{url}?sslmode=disable")
}

/// Writes where the databases are, for the commands that work on a running platform (`--data DIR`).
pub fn tell(all: &[Service], folder: &Folder, port: u16) -> Result<()> {
    let mut urls = serde_json::Map::new();
    for service in all {
        urls.insert(service.name.to_owned(), app_url(folder, service, port)?.into());
    }
    write_private(&folder.databases(), &serde_json::to_vec_pretty(&urls)?)
}
