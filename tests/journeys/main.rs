//! Stories across services, told to the real binary through its gateway: on the local bus (`quenty up`) and on
//! RabbitMQ (a `quenty serve` process per service). After each the independent checker reads every database.

mod harness;

mod journeys;
mod lifecycle;
mod operators;
