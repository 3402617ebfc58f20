//! One suite for both buses, on a real PostgreSQL and a real RabbitMQ: the promises of design/conventions.md,
//! "Events", each by a test that can fail.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "the helpers of a test fail it by panicking"
)]

mod broadcasts;
mod checkpoints;
mod consul;
mod dead_letters;
mod delivery;
mod faults;
mod interleavings;
mod journal;
mod lists;
mod live;
mod outages;
mod probe;
mod proxy;
mod rabbit_only;
mod reads;
mod redis;
mod replica;
mod requests;
mod retention;
mod rolling;
mod shared_settings;
mod starting;
mod tally;
mod tls;
mod tokens;
mod traces;
mod waiting;
mod work;
mod world;

/// Runs each test on both buses, as `local::NAME` and `rabbit::NAME`.
macro_rules! on_both_buses {
    ($($name:ident),+ $(,)?) => {
        mod local {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $name() {
                super::$name($crate::world::World::local().await).await;
            })+
        }
        mod rabbit {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $name() {
                super::$name($crate::world::World::rabbit().await).await;
            })+
        }
    };
}
pub(crate) use on_both_buses;
