//! Stories across services, told to the real binary through its gateway: on the local bus (`quenty up`) and on
//! RabbitMQ (a `quenty serve` process per service). After each the independent checker reads every database.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on ends with what it found"
)]

mod harness;

/// Tells the stories one after the other on a platform in one process, and on one of many; each has a merchant of its
/// own. A platform for each story would cost more than all the stories.
macro_rules! on_both_buses {
    ($($story:ident),+ $(,)?) => {
        async fn tell_all(stage: &crate::harness::Stage) {
            let mut cast = None;
            $(
                eprintln!("the story {}", stringify!($story));
                let own = crate::harness::Cast::after(stage, cast.as_ref()).await;
                $story(stage, own.clone()).await;
                cast = Some(own);
            )+
            drop(cast);
            stage.assert_sound().await;
        }

        #[tokio::test]
        async fn on_the_local_bus() {
            let up = crate::harness::Up::ephemeral(&[]).await;
            tell_all(&up.stage).await;
            up.stop().await;
        }

        #[tokio::test]
        async fn on_rabbitmq() {
            let own = crate::harness::cluster::Own { certificates: true, ..Default::default() };
            let cluster = crate::harness::Cluster::start_with(own).await;
            tell_all(&cluster.stage).await;
            cluster.stop().await;
        }
    };
}

mod api_keys;
mod bad_input;
mod commands;
mod deadlines;
mod demo;
mod distributed;
mod erased;
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
