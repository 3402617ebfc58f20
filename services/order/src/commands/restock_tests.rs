//! Returned pieces on a real database, two at once.

use futures_util::future::join;
use quenty_kernel::{Scope, currency::Currency, id::OrderId, money::Money};
use quenty_platform::Tx;
use quenty_testkit::eventually;

use super::{
    restock_item::{Resale, Restock, restock_item},
    stock_tests::{Shop, begin},
};
use crate::{Error, domain::stock::Note, store};

fn opened(shop: &Shop) -> Restock {
    Restock {
        company_id: shop.company,
        order_id: OrderId::new(),
        product_id: shop.products[0],
        warehouse_id: shop.warehouse,
        batch: None,
        quantity: 1,
        resale: Resale::OpenBox { price: Money::parse("35000", Currency::COP).unwrap() },
        note: Note { reason: Some("resell_open_box, good".to_owned()), ..Note::default() },
    }
}

async fn restock(shop: &Shop, piece: &Restock) -> Result<(), Error> {
    let mut tx = begin(&shop.app).await;
    restock_item(&mut tx, piece).await?;
    Ok(Tx::commit(tx).await?)
}

/// Returns once somebody waits for another's lock.
async fn somebody_waits(shop: &Shop) {
    eventually("somebody waits for a lock", || async {
        store::stock::somebody_waits(shop.app.app.db()).await.unwrap().then_some(())
    })
    .await;
}

#[tokio::test]
async fn of_two_opened_pieces_at_once_the_second_waits_for_the_sibling_of_the_first() {
    let shop = Shop::open(1, 1).await;
    let piece = opened(&shop);
    let mut first = begin(&shop.app).await;
    restock_item(&mut first, &piece).await.unwrap();
    let commit = async {
        somebody_waits(&shop).await;
        Tx::commit(first).await
    };
    let (second, first) = join(restock(&shop, &piece), commit).await;
    first.unwrap();
    second.unwrap();
    let skus = ["P-0-OPENBOX".to_owned()];
    let siblings = store::products::named(shop.app.app.db(), shop.company, &[], &skus).await.unwrap();
    let mut tx = begin(&shop.app).await;
    let scope = Scope::Company(shop.company);
    let stock = store::stock::lock(tx.conn(), scope, &[siblings[0].id()].into()).await.unwrap();
    assert_eq!(stock.items.iter().map(|item| item.on_hand).collect::<Vec<_>>(), [2]);
    drop(tx);
    shop.app.assert_sound().await;
}
