//! The same promises, kept by an object store.

use axum::body::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use quenty_files::{Files, SETTINGS};
use quenty_kernel::{Failure, Kind};
use quenty_platform::{Error, Result, settings::Settings};
use tokio::{io::AsyncReadExt, net::TcpListener};

use crate::bucket::Bucket;

const MEGABYTE: usize = 1 << 20;

fn settings(endpoint: &str) -> Settings {
    Settings::load(&[SETTINGS], None, std::iter::empty())
        .unwrap()
        .with("files_url", "s3://photos/of/returns")
        .with("files_region", "eu-west-1")
        .with("files_endpoint_url", endpoint)
        .with("files_access_key_id", "the-id")
        .with("files_secret_access_key", "the secret")
}

fn files(bucket: &Bucket) -> Files {
    Files::from_settings(&settings(&bucket.url)).unwrap()
}

/// So many megabytes, none like another.
fn pieces(megabytes: u8) -> Vec<Result<Bytes>> {
    (0..megabytes).map(|n| Ok(Bytes::from(vec![n; MEGABYTE]))).collect()
}

async fn read(files: &Files, key: &str) -> Option<Vec<u8>> {
    let content = files.get(key).await.unwrap()?;
    let read = content.pieces.try_fold(Vec::new(), async |mut all, piece| {
        all.extend_from_slice(&piece);
        Ok(all)
    });
    let read = read.await.unwrap();
    assert_eq!(read.len() as u64, content.bytes);
    Some(read)
}

#[tokio::test]
async fn a_file_goes_in_comes_out_and_is_removed() {
    let bucket = Bucket::open().await;
    let files = files(&bucket);
    for (megabytes, requests) in [(0, 1), (1, 1), (5, 4), (12, 5)] {
        bucket.held.lock().unwrap().requests.clear();
        let stored = files.put("RET-1/1.jpg", stream::iter(pieces(megabytes))).await.unwrap();
        let expected: Vec<u8> = pieces(megabytes).into_iter().flat_map(|piece| piece.unwrap()).collect();
        assert_eq!(stored.bytes, expected.len() as u64);
        assert_eq!(bucket.held.lock().unwrap().requests.len(), requests, "{megabytes} MiB");
        assert!(read(&files, "RET-1/1.jpg").await.unwrap() == expected, "{megabytes} MiB");
    }
    let held = || bucket.held.lock().unwrap().objects.keys().cloned().collect::<Vec<_>>();
    assert_eq!(held(), ["/photos/of/returns/RET-1/1.jpg"]);
    for _ in 0..2 {
        files.delete("RET-1/1.jpg").await.unwrap();
        assert_eq!(read(&files, "RET-1/1.jpg").await, None);
    }
}

#[tokio::test]
async fn a_file_that_breaks_off_is_not_seen_and_its_parts_are_let_go() {
    let bucket = Bucket::open().await;
    for megabytes in [1, 11] {
        let broken: Error = Failure::new(Kind::Malformed, "UNREADABLE_BODY", "the file broke off").into();
        let sent = stream::iter(pieces(megabytes)).chain(stream::iter([Err(broken)]));
        let refused = files(&bucket).put("1.jpg", sent).await.expect_err("refused");
        assert_eq!(refused.to_failure().code, "UNREADABLE_BODY");
    }
    let held = bucket.held.lock().unwrap();
    assert!(held.objects.is_empty() && held.uploads.is_empty(), "{:?}", held.requests);
}

#[tokio::test]
async fn an_object_store_that_falters_is_asked_again_and_one_that_is_away_is_told() {
    let bucket = Bucket::open().await;
    bucket.held.lock().unwrap().failing = 1;
    files(&bucket).put("1.jpg", stream::iter(pieces(1))).await.unwrap();
    bucket.held.lock().unwrap().failing = usize::MAX;
    let refused = files(&bucket).put("1.jpg", stream::iter(pieces(1))).await.expect_err("refused");
    assert_eq!(refused.to_failure().code, "FILES_UNAVAILABLE");
}

#[tokio::test]
async fn only_who_has_the_secret_gets_in() {
    let bucket = Bucket::open().await;
    let other = settings(&bucket.url).with("files_access_key_id", "another");
    let refused = Files::from_settings(&other).unwrap().get("1.jpg").await.map(drop).expect_err("refused");
    assert_eq!(refused.to_failure().code, "FILES_UNAVAILABLE");
    let settings = Settings::load(&[SETTINGS], None, std::iter::empty()).unwrap();
    let without = settings.with("files_url", "s3://photos").with("files_access_key_id", "the-id");
    let why = Files::from_settings(&without).expect_err("refused").to_string();
    assert!(why.contains("QUENTY_FILES_SECRET_ACCESS_KEY"), "{why}");
}

/// The first record of TLS is a handshake (RFC 8446, 5.1).
const HANDSHAKE: u8 = 22;

#[tokio::test]
async fn over_https_nothing_is_sent_in_the_clear() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("https://{}", listener.local_addr().unwrap());
    let files = Files::from_settings(&settings(&endpoint)).unwrap();
    let first_byte = async { listener.accept().await.unwrap().0.read_u8().await.unwrap() };
    tokio::select! {
        first = first_byte => assert_eq!(first, HANDSHAKE),
        answer = files.get("1.jpg") => panic!("nobody answers: {:?}", answer.map(drop)),
    }
}
