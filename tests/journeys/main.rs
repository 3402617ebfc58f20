//! Stories across services, told to the real binary through its gateway: on the local bus (`quenty up`) and on
//! RabbitMQ (a `quenty serve` process per service). After each the independent checker reads every database.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on ends with what it found"
)]

mod harness;

/// Tells each story on a platform in one process, and on one of many.
macro_rules! on_both_buses {
    ($($story:ident),+ $(,)?) => {
        mod local {
            $(#[tokio::test]
            async fn $story() {
                let up = crate::harness::Up::ephemeral(&[]).await;
                super::$story(&up.stage, crate::harness::Cast::enter(&up.stage).await).await;
                up.stage.assert_sound().await;
                up.stop().await;
            })+
        }
        mod rabbit {
            $(#[tokio::test]
            async fn $story() {
                let own = crate::harness::cluster::Own { certificates: true, ..Default::default() };
                let cluster = crate::harness::Cluster::start_with(own).await;
                super::$story(&cluster.stage, crate::harness::Cast::enter(&cluster.stage).await).await;
                cluster.stage.assert_sound().await;
                cluster.stop().await;
            })+
        }
    };
}

mod api_keys;
mod bad_input;
mod commands;
mod deadlines;
mod demo;
mod import;
mod journeys;
mod kill;
mod lifecycle;
mod operators;
mod outages;
mod planted;
mod returned;
mod revoked;
mod strangers;
mod traces;
