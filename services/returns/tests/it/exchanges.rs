//! An exchange is ordered at Order, which these tests play; the two together are in `tests/journeys`.

use quenty_kernel::id::ProductId;
use quenty_testkit::wait::eventually;
use serde_json::json;

use crate::support::{World, wanted};

#[tokio::test]
async fn a_replacement_that_cannot_be_ordered_is_paid_back_instead() {
    let world = World::new().await;
    let of = world.delivered(1, "100000.00", None).await;
    let exchange = json!([{"product_id": ProductId::new(), "quantity": 1}]);
    let body =
        wanted(&of, 1, "size", json!({"kind": "exchange", "resolution": "exchange", "exchange": exchange}));
    let asked = world.try_request(&body).await.expect(201).json();
    let done = world.bring_back(&asked, 1).await;
    assert_eq!(done["amounts"]["refund"]["amount"], "100000.00", "other goods instead cost no fee");
    assert_eq!(done["status"], "processed");
    world.refund(&asked).await.expect_problem(409, "OTHER_RESOLUTION");
    world.step(&world.merchant, &asked, "exchange", &json!({})).await.expect(200);
    // Order is away: the task tries again until it is there.
    eventually("the replacement is asked for", || async {
        let tasks: i64 = sqlx::query_scalar(
            "select count(*) from quenty.tasks where kind = 'place_exchange' and attempts > 0",
        )
        .fetch_one(world.app.app.db())
        .await
        .unwrap();
        (tasks > 0).then_some(())
    })
    .await;
    assert_eq!(world.read(&asked).await["status"], "processed");
}
