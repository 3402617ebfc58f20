//! Auth as its clients meet it: a real service on a real database, over HTTP.

mod login;
mod service_token;
mod signing_keys;
mod support;
