//! The servers of the test kit themselves. Runs as root and as an ordinary user.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails the test")]

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Connection, ConnectionProperties};
use quenty_testkit::database::drop_abandoned;
use quenty_testkit::rabbit::{RabbitBroker, RabbitServer};
use quenty_testkit::scratch_dir::ScratchDir;
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

async fn wait_for_depth(broker: &RabbitBroker, vhost: &str, queue: &str, depth: u64) {
    let mut seen = None;
    for _ in 0..300 {
        seen = broker.queue_depths(vhost).await.unwrap().get(queue).copied();
        if seen == Some(depth) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("queue {queue} holds {seen:?} messages instead of {depth}");
}

#[tokio::test]
async fn a_killed_broker_comes_back_with_its_messages() {
    let folder = ScratchDir::new("quenty-rabbit-test").unwrap();
    let dir = folder.path().join("rabbit");
    let mut server = RabbitServer::start(&dir).await.unwrap();
    assert_eq!(std::fs::metadata(&dir).unwrap().permissions().mode() & 0o777, 0o700, "messages are private");
    let url = server.amqp_url("/");
    let address = url.rsplit_once('@').unwrap().1.split('/').next().unwrap().to_owned();
    server.add_vhost("one/two").await.unwrap();
    publish(server.broker(), "one/two", "parcels").await;
    wait_for_depth(server.broker(), "one/two", "parcels", 1).await;
    // No sign tells when the broker has written down that the queue exists, see `RabbitServer::kill`.
    tokio::time::sleep(Duration::from_secs(5)).await;
    publish(server.broker(), "one/two", "parcels").await;

    server.kill().await.unwrap();
    assert!(std::net::TcpStream::connect(&address).is_err());

    server.restart().await.unwrap();
    assert_eq!(server.amqp_url("/"), url);
    wait_for_depth(server.broker(), "one/two", "parcels", 2).await;
    publish(server.broker(), "one/two", "parcels").await;
    wait_for_depth(server.broker(), "one/two", "parcels", 3).await;

    server.stop().await.unwrap();
    assert!(std::net::TcpStream::connect(&address).is_err());
}

#[tokio::test]
async fn the_shared_servers_serve() {
    let postgres = shared_postgres().await.unwrap();
    let mut connection = sqlx::PgConnection::connect(&postgres.superuser_url("postgres")).await.unwrap();
    let limit: String = sqlx::query_scalar("SHOW max_connections").fetch_one(&mut connection).await.unwrap();
    assert_eq!(limit, "500");

    let broker = shared_rabbit().await.unwrap();
    broker.add_vhost("shared-servers-test").await.unwrap();
    publish(broker, "shared-servers-test", "parcels").await;
    broker.remove_vhost("shared-servers-test").await.unwrap();
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
