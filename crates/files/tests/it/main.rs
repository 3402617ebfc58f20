//! Files through a real service: a form comes over HTTP, its photo goes into a folder and out again.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "the helpers of a test fail it by panicking")]

mod album;
mod photos;
