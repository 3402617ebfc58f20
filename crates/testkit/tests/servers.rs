//! The servers of the test kit themselves. Runs as root and as an ordinary user.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Connection, ConnectionProperties};
use quenty_testkit::database::drop_abandoned;
use quenty_testkit::rabbit::RabbitBroker;
use quenty_testkit::shared::{shared_postgres, shared_rabbit};
use sqlx::{AssertSqlSafe, Connection as _};

async fn publish(broker: &RabbitBroker, vhost: &str, queue: &str) {
    let connection =
        Connection::connect(&broker.amqp_url(vhost), ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(queue.into(), options, arguments).await.unwrap();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let properties = BasicProperties::default().with_delivery_mode(2);
    let options = BasicPublishOptions::default();
    let sent = channel.basic_publish("".into(), queue.into(), options, b"parcel", properties).await.unwrap();
    assert!(sent.await.unwrap().is_ack());
    connection.close(200, "done".into()).await.unwrap();
}

#[tokio::test]
async fn the_shared_servers_serve() {
    let postgres = shared_postgres().await.unwrap();
    let mut connection = sqlx::PgConnection::connect(&postgres.superuser_url("postgres")).await.unwrap();
    let limit: String = sqlx::query_scalar("SHOW max_connections").fetch_one(&mut connection).await.unwrap();
    assert_eq!(limit, "500");

    let broker = shared_rabbit().await.unwrap();
    broker.add_vhost("shared/servers-test").await.unwrap();
    publish(broker, "shared/servers-test", "parcels").await;
    broker.remove_vhost("shared/servers-test").await.unwrap();
}

#[tokio::test]
async fn databases_go_with_their_processes() {
    let postgres = shared_postgres().await.unwrap();
    let mut ended = std::process::Command::new("true").spawn().unwrap();
    ended.wait().unwrap();
    let (kept, abandoned) = (format!("t_{}_kept", std::process::id()), format!("t_{}_abandoned", ended.id()));
    let mut connection = sqlx::PgConnection::connect(&postgres.superuser_url("postgres")).await.unwrap();
    for name in [&kept, &abandoned] {
        sqlx::raw_sql(AssertSqlSafe(format!("create database {name}")))
            .execute(&mut connection)
            .await
            .unwrap();
    }

    drop_abandoned(postgres).await.unwrap();

    let left: Vec<String> = sqlx::query_scalar("select datname from pg_database where datname = any($1)")
        .bind([&kept, &abandoned].map(Clone::clone))
        .fetch_all(&mut connection)
        .await
        .unwrap();
    assert_eq!(left, [kept]);
}
