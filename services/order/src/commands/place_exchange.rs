use quenty_contracts::{
    order::{Exchange, ExchangePlaced},
    returns::ExchangeLine,
};
use quenty_kernel::Scope;
use quenty_platform::Tx;

use super::{
    draft_lines::{NewLine, ProductRef},
    place_order::{NewOrder, WhenShort, place_order},
};
use crate::{
    Error,
    domain::{
        order::{Order, OrderError, OrderKind, PaymentMethod, totals::Extras},
        placing::{PaidBefore, PlacingError},
        product::Product,
        standing::KnownStanding,
        stock::StockError,
    },
    store,
};

/// Places the order that replaces the goods of a return, once for each return. The lock of the order whose goods came
/// back lets two requests for one return come one after the other.
///
/// # Errors
/// As [`place_order`]; what is short is refused.
pub(crate) async fn place_exchange(
    tx: &mut Tx,
    exchange: &Exchange,
    standing: KnownStanding,
) -> Result<ExchangePlaced, Error> {
    let (company, now) = (exchange.company_id, tx.now());
    let returned = store::orders::lock(tx.conn(), Scope::Company(company), exchange.order_id)
        .await?
        .ok_or(OrderError::NotFound)?;
    if let Some(placed) = store::exchanges::find(&mut *tx.conn(), company, exchange.return_id).await? {
        return Ok(placed);
    }
    let ids: Vec<_> = exchange.lines.iter().map(|line| line.product_id).collect();
    let products = store::products::named(&mut *tx.conn(), company, &ids, &[]).await?;
    let lines = new_lines(exchange, &returned, &products)?;
    let order = place_order(tx, new_order(exchange, &returned, lines, standing)?).await?.order;
    let placed = ExchangePlaced { order_id: order.id, total: order.totals.total, paid: order.paid };
    store::exchanges::insert(&mut *tx.conn(), exchange, &placed, now).await?;
    Ok(placed)
}

/// One line for each product, so that what came back of it counts once.
fn new_lines(exchange: &Exchange, returned: &Order, products: &[Product]) -> Result<Vec<NewLine>, Error> {
    let mut wanted: Vec<(usize, ExchangeLine)> = Vec::new();
    for (index, line) in exchange.lines.iter().enumerate() {
        match wanted.iter_mut().find(|(_, same)| same.product_id == line.product_id) {
            Some((_, same)) => {
                let sum = same.quantity.checked_add(line.quantity);
                same.quantity = sum.ok_or(StockError::QuantityTooLarge)?;
            }
            None => wanted.push((index, line.clone())),
        }
    }
    let new_line = |(index, line): (usize, ExchangeLine)| -> Result<NewLine, Error> {
        let product = products
            .iter()
            .find(|product| product.id() == line.product_id)
            .ok_or(PlacingError::UnknownProduct { line: index })?;
        let today = product.details().price;
        let cost = returned.cost_of_replacement(product.id(), line.quantity, today, &exchange.returned)?;
        Ok(NewLine {
            product: ProductRef::Id(line.product_id),
            quantity: line.quantity,
            unit_price: Some(cost.unit_price),
            discount: Some(cost.discount),
            tax: Some(cost.tax),
        })
    };
    wanted.into_iter().map(new_line).collect()
}

/// To the same consignee.
fn new_order(
    exchange: &Exchange,
    returned: &Order,
    lines: Vec<NewLine>,
    standing: KnownStanding,
) -> Result<NewOrder, Error> {
    let reference = exchange.return_id.to_string();
    let external_reference =
        format!("EXCHANGE-{reference}").parse().map_err(quenty_platform::Error::internal)?;
    Ok(NewOrder {
        company_id: exchange.company_id,
        standing,
        customer_id: returned.customer_id,
        external_reference: Some(external_reference),
        kind: OrderKind::Standard,
        payment_method: PaymentMethod::Prepaid,
        lines,
        extras: Extras::default(),
        expected_total: None,
        consignee: returned.consignee.clone(),
        warehouse_id: None,
        wanted_pickup: None,
        notes: None,
        when_short: WhenShort::Refuse,
        paid: Some(PaidBefore::Credit { amount: exchange.credit, reference }),
        is_replacement: true,
    })
}
