use std::path::PathBuf;

use quenty_kernel::id::{CompanyId, PhotoId};
use quenty_platform::token::Realm;
use quenty_testkit::{http::Answer, wait::eventually};
use serde_json::{Value, json};

use crate::support::World;

const BOUNDARY: &str = "a-boundary-that-no-picture-has";

/// A form with one file, as browsers send it.
fn form(name: &str, file: &[u8]) -> Vec<u8> {
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"x.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n"
    );
    [head.as_bytes(), file, format!("\r\n--{BOUNDARY}--\r\n").as_bytes()].concat()
}

fn png(bytes: usize) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    file.resize(bytes, 7);
    file
}

async fn send(world: &World, of: &Value, query: &str, key: Option<&str>, body: Vec<u8>) -> Answer {
    let path = format!("/api/v1/returns/{}/photos{query}", of["id"].as_str().unwrap());
    let mut call = world.app.post(&path).token(&world.merchant);
    if let Some(key) = key {
        call = call.idempotency_key(key);
    }
    call.raw("multipart/form-data; boundary=a-boundary-that-no-picture-has", body).send().await
}

fn folder(world: &World, of: &Value) -> PathBuf {
    world.files_dir.path().join("returns").join(of["id"].as_str().unwrap())
}

fn files(world: &World, of: &Value) -> usize {
    std::fs::read_dir(folder(world, of)).map_or(0, Iterator::count)
}

/// The one that comes to the folder first.
async fn kept(world: &World, of: &Value) -> PhotoId {
    eventually("a file is there", || async {
        let mut files = std::fs::read_dir(folder(world, of)).ok()?;
        files.find_map(|file| file.unwrap().file_name().to_str()?.parse::<PhotoId>().ok())
    })
    .await
}

#[tokio::test]
async fn a_picture_is_kept_as_it_is_and_shown_to_its_company_only() {
    let world = World::new().await;
    let of = world.delivered(1, "50000.00", None).await;
    let asked = world.request(&of, 1, "defective", json!({})).await;
    let kept = send(&world, &asked, "?line=1", None, form("photo", &png(70_000))).await.expect(201);
    let photo = kept.json();
    assert_eq!(
        (&photo["media_type"], &photo["bytes"], &photo["line"]),
        (&json!("image/png"), &json!(70_000), &json!(1))
    );
    let path = kept.header("location").unwrap().to_owned();
    let shown = world.app.get(&path).token(&world.finance).send().await.expect(200);
    assert_eq!(
        (shown.header("content-type"), shown.header("x-content-type-options")),
        (Some("image/png"), Some("nosniff"))
    );
    assert_eq!(shown.body.len(), 70_000);
    let stranger = world.app.token(Realm::Company, Some(CompanyId::new()), &["returns:*"]);
    world.app.get(&path).token(&stranger).send().await.expect(404);
    let list = world.get(&format!("/api/v1/returns/{}/photos", asked["id"].as_str().unwrap())).await;
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_no_picture_or_too_large_leaves_nothing() {
    let world = World::new().await;
    let of = world.delivered(1, "50000.00", None).await;
    let asked = world.request(&of, 1, "defective", json!({})).await;
    let page = b"<html><script>alert(1)</script></html>";
    send(&world, &asked, "", None, form("photo", page)).await.expect_problem(415, "NOT_A_PICTURE");
    send(&world, &asked, "", None, form("photo", &png(11 << 20))).await.expect_problem(413, "FILE_TOO_LARGE");
    send(&world, &asked, "", None, form("other", &png(100))).await.expect(422);
    send(&world, &asked, "?line=7", None, form("photo", &png(100)))
        .await
        .expect_problem(422, "INVALID_FIELD");
    send(&world, &asked, "?line=1&unit=1", None, form("photo", &png(100)))
        .await
        .expect_problem(422, "INVALID_FIELD");
    assert_eq!(files(&world, &asked), 0);
}

#[tokio::test]
async fn the_same_picture_sent_again_is_one() {
    let world = World::new().await;
    let of = world.delivered(1, "50000.00", None).await;
    let asked = world.request(&of, 1, "defective", json!({})).await;
    let first = send(&world, &asked, "", Some("once"), form("photo", &png(500))).await.expect(201).json();
    let again = send(&world, &asked, "", Some("once"), form("photo", &png(500))).await.expect(201).json();
    assert_eq!(first["id"], again["id"]);
    send(&world, &asked, "", Some("once"), form("photo", &png(501))).await.expect(422);
    assert_eq!(files(&world, &asked), 1);
}

#[tokio::test]
async fn what_is_on_record_keeps_its_file_whatever_its_sender_was_told() {
    let world = World::new().await;
    let of = world.delivered(1, "50000.00", None).await;
    let asked = world.request(&of, 1, "defective", json!({})).await;
    let mut other = world.app.app.db().begin().await.unwrap();
    sqlx::query("select from returns for update").execute(&mut *other).await.unwrap();
    // As if a commit had brought the row, and no answer: it is there before the request fails over it.
    let on_record = async {
        let photo = kept(&world, &asked).await;
        sqlx::query(
            "insert into return_photos (id, return_id, company_id, media_type, bytes, sha256, added_by, created_at)
             select $1, id, company_id, 'image/png', 500, '', 'system', created_at from returns",
        )
        .bind(photo.uuid())
        .execute(&mut *other)
        .await
        .unwrap();
        other.commit().await.unwrap();
        photo
    };
    let (answer, photo) = tokio::join!(send(&world, &asked, "", None, form("photo", &png(500))), on_record);
    answer.expect_problem(500, "INTERNAL");
    let path = format!("/api/v1/returns/{}/photos/{photo}", asked["id"].as_str().unwrap());
    let shown = world.app.get(&path).token(&world.merchant).send().await.expect(200);
    assert_eq!(shown.body.len(), 500);
}
