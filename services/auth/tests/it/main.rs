//! Auth as its clients meet it: a real service on a real database, over HTTP.

mod companies;
mod invitations;
mod login;
mod logs;
mod passwords;
mod permissions;
mod refresh;
mod register;
mod service_token;
mod sessions;
mod signing_keys;
mod support;
mod users;
