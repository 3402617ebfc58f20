//! Photos come as forms, and are there whole or not at all.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use quenty_platform::http::document;
use quenty_testkit::eventually;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::album::{Album, LIMIT, service};

const HEAD: &str = "--x\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"../../a.jpg\"\r\nContent-Type: text/html\r\n\r\n";
const END: &str = "\r\n--x--\r\n";

/// As much as the tests' client takes of an answer.
const SHOWN: u64 = 6 << 20;

/// A picture of this size that is like no other piece of itself.
fn jpeg(bytes: u64) -> Vec<u8> {
    let noise = (0_u32..).flat_map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes());
    let size = usize::try_from(bytes).unwrap();
    [0xff, 0xd8, 0xff, 0xe0].into_iter().chain(noise).take(size).collect()
}

fn form(photo: &[u8]) -> Vec<u8> {
    [HEAD.as_bytes(), photo, END.as_bytes()].concat()
}

/// All files below a folder, those on their way, too.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn a_photo_goes_in_comes_out_and_is_removed() {
    let album = Album::open().await;
    for bytes in [LIMIT, 10 << 20, 5 << 20, (5 << 20) + 1, 100] {
        let photo = jpeg(bytes);
        let kept = album.put("1.jpg", form(&photo)).send().await.expect(201);
        assert_eq!(
            (&kept.json()["bytes"], &kept.json()["media_type"]),
            (&json!(bytes), &json!("image/jpeg"))
        );
        assert!(
            fs::read(album.folder.join("1.jpg")).unwrap() == photo,
            "{bytes} bytes are kept as they came"
        );
        if bytes > SHOWN {
            continue;
        }
        let shown = album.get("1.jpg").send().await.expect(200);
        assert_eq!(shown.header("content-length"), Some(bytes.to_string().as_str()));
        assert!(shown.body == photo, "{bytes} bytes come out as they are kept");
    }
    for _ in 0..2 {
        album.remove("1.jpg").send().await.expect(204);
        album.get("1.jpg").send().await.expect_problem(404, "NOT_FOUND");
    }
    assert!(files(&album.folder).is_empty());
}

#[tokio::test]
async fn nobody_else_on_the_machine_reads_a_photo() {
    let album = Album::open().await;
    album.put("RET-1%2F1.jpg", form(&jpeg(100))).send().await.expect(201);
    album.put("RET-1%2F2.jpg", form(&jpeg(6 << 20))).send().await.expect(201);
    let folder = album.folder.join("RET-1");
    for (path, expected) in [
        (&album.folder, 0o700),
        (&folder, 0o700),
        (&folder.join("1.jpg"), 0o600),
        (&folder.join("2.jpg"), 0o600),
    ] {
        assert_eq!(mode(path), expected, "{}", path.display());
    }
}

#[tokio::test]
async fn what_is_refused_leaves_nothing_and_what_was_there_before_stays() {
    let album = Album::open().await;
    let first = jpeg(1000);
    album.put("1.jpg", form(&first)).send().await.expect(201);
    let large = jpeg(6 << 20);
    let two = [HEAD.as_bytes(), &large, b"\r\n", HEAD.as_bytes(), &large, END.as_bytes()].concat();
    for (body, status, code) in [
        (form(&jpeg(LIMIT + 1)), 413, "FILE_TOO_LARGE"),
        (form(b"<script>alert(1)</script>"), 415, "NO_PICTURE"),
        (form(b""), 415, "NO_PICTURE"),
        (two, 422, "INVALID_BODY"),
        (form(&large)[..6 << 20].to_vec(), 400, "UNREADABLE_BODY"),
    ] {
        for key in ["1.jpg", "2.jpg"] {
            album.put(key, body.clone()).send().await.expect_problem(status, code);
        }
    }
    assert_eq!(files(&album.folder), [album.folder.join("1.jpg")]);
    assert!(album.get("1.jpg").send().await.expect(200).body == first);
}

/// Sends so much of a photo that a part of it is on the disk.
async fn half_a_photo(album: &Album) -> TcpStream {
    let mut stream = TcpStream::connect(album.app.base_url.trim_start_matches("http://")).await.unwrap();
    let head = format!(
        "POST /api/v1/photos/1.jpg HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\nconnection: close\r\n\
         content-type: multipart/form-data; boundary=x\r\ncontent-length: 9000000\r\n\r\n{HEAD}",
        album.token
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&jpeg(6 << 20)).await.unwrap();
    eventually("a part is on the disk", || async { (files(&album.folder).len() == 1).then_some(()) }).await;
    album.get("1.jpg").send().await.expect_problem(404, "NOT_FOUND");
    stream
}

#[tokio::test]
async fn a_photo_that_breaks_off_is_gone() {
    let album = Album::open().await;
    drop(half_a_photo(&album).await);
    eventually("nothing is left of it", || async { files(&album.folder).is_empty().then_some(()) }).await;
}

#[tokio::test]
async fn a_sender_that_pauses_is_not_waited_for() {
    let album = Album::open().await;
    let mut answer = String::new();
    half_a_photo(&album).await.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("BODY_TOO_SLOW"), "{answer}");
    eventually("nothing is left of it", || async { files(&album.folder).is_empty().then_some(()) }).await;
}

#[tokio::test]
async fn a_key_that_leads_out_of_the_folder_is_refused() {
    let album = Album::open().await;
    for key in ["..%2F1.jpg", "%2Fetc%2F1.jpg", "a%2F..%2F1.jpg", ".1.jpg"] {
        album.put(key, form(&jpeg(100))).send().await.expect_problem(500, "INTERNAL");
        album.get(key).send().await.expect_problem(500, "INTERNAL");
        album.remove(key).send().await.expect_problem(500, "INTERNAL");
    }
    assert!(files(album.folder.parent().unwrap()).is_empty());
}

#[test]
fn the_document_tells_that_a_photo_comes_in_a_form() {
    let document = serde_json::to_value(document(&service())).unwrap();
    let body = &document["paths"]["/api/v1/photos/{key}"]["post"]["requestBody"];
    let schema = &body["content"]["multipart/form-data"]["schema"];
    assert_eq!(schema["required"], json!(["photo"]), "{body:#}");
    let photo = &schema["properties"]["photo"];
    assert_eq!(
        (&photo["type"], &photo["contentMediaType"]),
        (&json!("string"), &json!("application/octet-stream"))
    );
}
