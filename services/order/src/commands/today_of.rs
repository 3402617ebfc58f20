use jiff::{civil::Date, tz::TimeZone};
use quenty_kernel::{Timestamp, id::CompanyId};
use sqlx::PgConnection;

use crate::{Error, store};

/// What day it is for the company; in UTC, while nothing is known of it.
pub(crate) async fn today_of(
    conn: &mut PgConnection,
    company: CompanyId,
    now: Timestamp,
) -> Result<Date, Error> {
    let known = store::standings::find(conn, company).await?;
    Ok(known.map_or_else(|| now.to_zoned(TimeZone::UTC).date(), |known| known.today(now)))
}
