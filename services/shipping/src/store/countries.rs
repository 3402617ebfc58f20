//! Reference data: countries and zones.

use quenty_kernel::country::CountryCode;
use rust_decimal::Decimal;
use sqlx::PgExecutor;

use crate::Error;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx;

#[derive(Debug, Clone)]
pub struct Country {
    pub code: String,
    pub name: String,
    pub name_es: String,
    pub currency: Option<String>,
    pub zone: i16,
    pub max_value: Option<Decimal>,
    pub max_value_currency: Option<String>,
    pub max_weight_grams: Option<i64>,
    pub de_minimis: Option<Decimal>,
    pub de_minimis_currency: Option<String>,
    pub limits_source: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Zone {
    pub number: i16,
    pub name: String,
    pub countries: Vec<String>,
}

/// Every country with the limits that hold on a day: the newest, as bookings go by.
pub async fn list(db: impl PgExecutor<'_>, zone: Option<i16>, today: Date) -> Result<Vec<Country>, Error> {
    let rows = sqlx::query_as!(
        Country,
        r#"select c.code, c.name, c.name_es, c.currency, c.zone, l.max_value as "max_value?", l.max_value_currency as "max_value_currency?",
                  l.max_weight_grams as "max_weight_grams?", l.de_minimis as "de_minimis?", l.de_minimis_currency as "de_minimis_currency?",
                  l.source as "limits_source?"
           from countries c
           left join lateral (
               select * from import_limits i
               where i.country = c.code and i.valid_from <= $2 and (i.valid_until is null or i.valid_until >= $2)
               order by i.valid_from desc limit 1
           ) l on true
           where ($1::smallint is null or c.zone = $1) order by c.code"#,
        zone,
        today.to_sqlx() as _
    );
    Ok(rows.fetch_all(db).await?)
}

pub async fn zones(db: impl PgExecutor<'_>) -> Result<Vec<Zone>, Error> {
    let rows = sqlx::query_as!(
        Zone,
        r#"select z.number, z.name, array_agg(c.code order by c.code) as "countries!"
           from zones z join countries c on c.zone = z.number group by z.number order by z.number"#
    );
    Ok(rows.fetch_all(db).await?)
}

/// The Spanish name, as labels print it.
pub async fn name_es(db: impl PgExecutor<'_>, country: CountryCode) -> Result<String, Error> {
    let name = sqlx::query_scalar!("select name_es from countries where code = $1", country.as_str());
    name.fetch_optional(db).await?.ok_or(Error::NotFound("country"))
}
