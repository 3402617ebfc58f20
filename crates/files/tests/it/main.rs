//! Files in a folder, through a real service: a form comes over HTTP, its photo goes in and out again. And files in
//! an object store.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail it by panicking")]

mod album;
mod bucket;
mod object_store;
mod photos;
