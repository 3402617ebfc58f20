//! Published emission factors, by the set that is in force.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use quenty_platform::{Error, row::parse};
use sqlx::PgConnection;

use crate::domain::emissions::FactorSet;

/// The newest set that is valid at a time; nothing before the first one.
pub(crate) async fn in_force(
    connection: &mut PgConnection,
    at: Timestamp,
) -> Result<Option<FactorSet>, Error> {
    let row = sqlx::query!(
        "select id, name, version, source, valid_from from emission_factor_sets
         where valid_from <= $1 order by valid_from desc limit 1",
        at.to_sqlx() as _
    );
    let Some(row) = row.fetch_optional(&mut *connection).await? else { return Ok(None) };
    let factors = sqlx::query!("select kind, key, grams from emission_factors where factor_set = $1", row.id)
        .fetch_all(connection)
        .await?;
    let (mut vehicles, mut goods) = (BTreeMap::new(), BTreeMap::new());
    for factor in factors {
        if factor.kind == "vehicle" {
            vehicles.insert(parse(&factor.key)?, factor.grams);
        } else {
            goods.insert(factor.key, factor.grams);
        }
    }
    let (name, version, source, valid_from) = (row.name, row.version, row.source, row.valid_from.to_jiff());
    Ok(Some(FactorSet { name, version, source, valid_from, vehicles, goods }))
}

#[cfg(test)]
mod tests {
    use quenty_testkit::database::TestDatabase;
    use rust_decimal::Decimal;
    use sqlx::Connection;

    use super::*;
    use crate::domain::{class::GoodsClass, emissions::Vehicle};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn the_newest_set_that_has_begun_is_in_force() {
        let database = TestDatabase::create("returns", &crate::MIGRATIONS).await.unwrap();
        let mut connection = PgConnection::connect(&database.app_url).await.unwrap();
        for sql in [
            "insert into emission_factor_sets (id, name, version, source, valid_from)
             values ('later', 'Later factors', '2', 'a test', '2031-01-01T00:00:00Z')",
            "insert into emission_factors (factor_set, kind, key, grams, source)
             values ('later', 'vehicle', 'van', 1.5, 'a test'), ('later', 'goods', 'general', 2, 'a test')",
        ] {
            sqlx::query(sql).execute(&mut connection).await.unwrap();
        }
        assert_eq!(in_force(&mut connection, at("2024-12-31T23:59:59Z")).await.unwrap(), None);
        let before = in_force(&mut connection, at("2030-12-31T23:59:59Z")).await.unwrap().unwrap();
        assert_eq!((before.version.as_str(), before.valid_from), ("2025", at("2025-01-01T00:00:00Z")));
        let later = in_force(&mut connection, at("2031-01-01T00:00:00Z")).await.unwrap().unwrap();
        assert_eq!((later.name.as_str(), later.source.as_str()), ("Later factors", "a test"));
        assert_eq!(later.vehicles, BTreeMap::from([(Vehicle::Van, Decimal::new(15, 1))]));
        assert_eq!(later.goods, BTreeMap::from([("general".to_owned(), Decimal::TWO)]));
    }

    #[tokio::test]
    async fn the_set_that_we_bring_knows_every_vehicle_and_every_class() {
        let database = TestDatabase::create("returns", &crate::MIGRATIONS).await.unwrap();
        let mut connection = PgConnection::connect(&database.app_url).await.unwrap();
        let set = in_force(&mut connection, at("2026-05-05T14:00:00Z")).await.unwrap().unwrap();
        assert!(Vehicle::ALL.iter().all(|vehicle| set.vehicles[vehicle] > Decimal::ZERO));
        assert!(GoodsClass::ALL.iter().all(|class| set.goods[class.as_str()] > Decimal::ZERO));
        assert!(
            set.goods["clothing"] > set.goods["general"] && set.goods["furniture"] < set.goods["general"]
        );
    }
}
