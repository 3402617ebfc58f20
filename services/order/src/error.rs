//! The one error of the service, and the one table that tells callers what to do about it.

use quenty_kernel::{Failure, Kind, money::MoneyError};

use crate::domain::{
    order::{OrderError, totals::TotalsError},
    placing::PlacingError,
    product::ProductError,
    reservation::ReservationError,
    standing::StandingError,
    stock::StockError,
    transfer::TransferError,
    warehouse::WarehouseError,
};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Platform(#[from] quenty_platform::Error),
    #[error(transparent)]
    Product(#[from] ProductError),
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
    #[error(transparent)]
    Stock(#[from] StockError),
    #[error(transparent)]
    Reservation(#[from] ReservationError),
    #[error(transparent)]
    Transfer(#[from] TransferError),
    #[error(transparent)]
    Order(#[from] OrderError),
    #[error(transparent)]
    Placing(#[from] PlacingError),
    #[error(transparent)]
    Standing(#[from] StandingError),
    #[error(transparent)]
    Totals(#[from] TotalsError),
}

quenty_platform::platform_errors!(Error: Failure, sqlx::Error);

impl From<Error> for quenty_platform::Error {
    fn from(error: Error) -> Self {
        let failure = match error {
            Error::Platform(error) => return error,
            Error::Product(error) => product(&error),
            Error::Warehouse(error) => warehouse(&error),
            Error::Stock(error) => stock(&error),
            Error::Reservation(error) => reservation(&error),
            Error::Transfer(error) => transfer(&error),
            Error::Order(error) => order(&error),
            Error::Placing(error) => placing(&error),
            Error::Standing(error) => standing(&error),
            Error::Totals(error) => totals(&error),
        };
        failure.into()
    }
}

fn product(error: &ProductError) -> Failure {
    match error {
        ProductError::NotFound => Failure::not_found("product"),
        ProductError::SkuTaken => Failure::conflict(
            "SKU_TAKEN",
            "another product of the company has this SKU; SKUs are compared without regard to case",
        ),
        ProductError::Archived => Failure::conflict(
            "PRODUCT_ARCHIVED",
            "the product is archived; create another one to go on selling it",
        ),
        ProductError::Negative(field) => {
            Failure::invalid("NEGATIVE_AMOUNT", format!("/{field}"), "an amount must not be negative here")
        }
    }
}

fn warehouse(error: &WarehouseError) -> Failure {
    match error {
        WarehouseError::NotFound => Failure::not_found("warehouse"),
        WarehouseError::NameTaken => {
            Failure::conflict("WAREHOUSE_NAME_TAKEN", "another warehouse of the company has this name")
        }
        WarehouseError::DefaultMoved => Failure::conflict(
            "DEFAULT_WAREHOUSE_MOVED",
            "another warehouse became the default at this moment; try again",
        )
        .retry_after(1),
        WarehouseError::DefaultNeeded => Failure::conflict(
            "DEFAULT_WAREHOUSE_NEEDED",
            "a company always has one default warehouse; make another one the default instead",
        ),
    }
}

fn stock(error: &StockError) -> Failure {
    match error {
        StockError::UnknownProduct(id) => {
            Failure::invalid("UNKNOWN_PRODUCT", "/product_id", format!("the company has no product {id}"))
                .with("product_id", id)
        }
        StockError::UnknownWarehouse(id) => Failure::invalid(
            "UNKNOWN_WAREHOUSE",
            "/warehouse_id",
            format!("the company has no warehouse {id}"),
        )
        .with("warehouse_id", id),
        StockError::Insufficient(shortages) => Failure::conflict(
            "INSUFFICIENT_STOCK",
            "no single warehouse holds enough of everything; `products` says what each one has available, which is \
             nothing of what earlier orders wait for",
        )
        .with("products", shortages),
        StockError::TooLittleThere(shortage) => Failure::conflict(
            "INSUFFICIENT_STOCK",
            "that place has not that much available, without what is reserved; where `products` names `batches` that \
             the warehouse has some in, name the batch to take it from",
        )
        .with("products", [shortage]),
        StockError::QuantityTooLarge => Failure::new(
            Kind::Invalid,
            "QUANTITY_TOO_LARGE",
            "the quantities of one product add up to more than can be kept",
        ),
        StockError::ExpiryDiffers => Failure::conflict(
            "BATCH_EXPIRY_DIFFERS",
            "the batch is known in the warehouse where it would lie with another expiry date; correct the date or name \
             another batch",
        ),
        StockError::MovementNeeds { field, why } => {
            Failure::invalid("INVALID_MOVEMENT", format!("/{field}"), *why)
        }
    }
}

fn reservation(error: &ReservationError) -> Failure {
    match error {
        ReservationError::NotFound => Failure::not_found("reservation"),
        ReservationError::Illegal { status, .. } => {
            Failure::conflict("RESERVATION_STATE", error.to_string()).with("current_status", status.as_str())
        }
    }
}

fn transfer(error: &TransferError) -> Failure {
    match error {
        TransferError::NotFound => Failure::not_found("transfer"),
        TransferError::SameWarehouse => Failure::invalid(
            "SAME_WAREHOUSE",
            "/to_warehouse_id",
            "goods are transferred to another warehouse than the one where they are",
        ),
        TransferError::AlreadyReceived => Failure::conflict(
            "TRANSFER_ALREADY_RECEIVED",
            "the transfer has arrived; its stock is in the destination",
        ),
    }
}

fn order(error: &OrderError) -> Failure {
    let because = |code, detail: &str| Failure::conflict(code, format!("{error}; {detail}"));
    match error {
        OrderError::NotFound => Failure::not_found("order"),
        OrderError::NotCancellable(status) => {
            because("ORDER_NOT_CANCELLABLE", "it cannot be cancelled any more").with("current_status", status)
        }
        OrderError::NotUpdatable(status) => {
            because("ORDER_NOT_UPDATABLE", "it can be changed until its parcels are collected")
                .with("current_status", status)
        }
        OrderError::LinesFixed => because("LINES_FIXED", "cancel the order and place it anew"),
        OrderError::PickupFixed => {
            because("PICKUP_FIXED", "reschedule the pickup, or wait until it is refused or given up")
        }
        OrderError::TotalFixed(total) => because(
            "TOTAL_FIXED",
            "cancel the order and place it anew, or choose lines that come to this total",
        )
        .with("total", total),
        OrderError::NotHoldable(status) => because(
            "ORDER_NOT_HOLDABLE",
            "it can be held while it is pending, backordered or confirmed; reschedule or cancel it instead",
        )
        .with("current_status", status),
        OrderError::CountryFixed => {
            because("COUNTRY_FIXED", "cancel it and place another one for the other country")
        }
        OrderError::AlreadyOnHold(code) => {
            because("ALREADY_ON_HOLD", "there is nothing to do").with("hold", code)
        }
        OrderError::NotOnHold => because("NOT_ON_HOLD", "there is nothing to release"),
        OrderError::NeedsRetry(code) => because("RETRY_NEEDED", "retry it, or cancel it").with("hold", code),
        OrderError::NothingToRetry => {
            because("NOTHING_TO_RETRY", "release it if a person has put it on hold")
        }
        OrderError::NotPrepaid(method) => {
            because("NOT_PREPAID", "only the payment of a prepaid order is recorded here")
                .with("payment_method", method)
        }
        OrderError::AlreadyPaid => because("ALREADY_PAID", "one payment is enough"),
        OrderError::AmountDiffers(due) => {
            let detail = format!("what is due is paid as a whole: {due}");
            Failure::invalid("AMOUNT_MISMATCH", "/amount", detail).with("due", due)
        }
        OrderError::RefundTooLarge { paid, refunded, .. } => {
            because("REFUND_TOO_LARGE", "pay back what is left of it, at most")
                .with("paid", paid)
                .with("refunded", refunded)
        }
        OrderError::NotRefundable(status) => because(
            "ORDER_NOT_REFUNDABLE",
            "what was paid goes back once it is cancelled, lost or returned to its sender; of delivered goods, by a return",
        )
        .with("current_status", status),
        OrderError::NothingToRefund => because("NOTHING_TO_REFUND", "there is nothing to do"),
        OrderError::RefundNotPositive(_) => {
            Failure::invalid("REFUND_NOT_POSITIVE", "/amount", "a refund is more than nothing")
        }
        OrderError::RefundCurrency(currency) => Failure::invalid(
            "CURRENCY_MISMATCH",
            "/amount",
            format!("the order was paid in {currency}, and is paid back in it"),
        ),
        OrderError::NotDelivered(status) => {
            because("ORDER_NOT_DELIVERED", "wait until it is").with("current_status", status)
        }
        OrderError::IllegalTransition { from, .. } => {
            because("ILLEGAL_TRANSITION", "`may_become` says where it can go from here")
                .with("current_status", from)
                .with("may_become", from.next())
        }
        OrderError::NotSettable(_) => because(
            "STATUS_NOT_SETTABLE",
            "stock and Pickup decide that; cancel the order by POST /orders/{id}/cancel",
        ),
        OrderError::NotBooked => because(
            "NOT_BOOKED",
            "shipment and pickup come first: wait for them, or retry the order if it is on hold",
        ),
    }
}

fn placing(error: &PlacingError) -> Failure {
    match error {
        PlacingError::CreditNotAvailable => Failure::conflict(
            "CREDIT_NOT_AVAILABLE",
            "no credit can be reserved; place the order prepaid or with cash on delivery",
        ),
        PlacingError::ReferenceTaken(id) => Failure::conflict(
            "REFERENCE_TAKEN",
            format!("order {id} of the company has this external_reference"),
        )
        .with("order_id", id),
        PlacingError::TotalMismatch(totals) => {
            let detail = format!("the order comes to {}; `totals` says how", totals.total);
            Failure::invalid("TOTAL_MISMATCH", "/expected_total", detail).with("totals", totals)
        }
        PlacingError::NotInternational => Failure::invalid(
            "NOT_INTERNATIONAL",
            "/kind",
            "the consignee lives in the country of the warehouse; choose standard or express",
        ),
        PlacingError::UnknownProduct { line } => Failure::invalid(
            "UNKNOWN_PRODUCT",
            format!("/lines/{line}"),
            "the company has no such product; create it first",
        ),
        PlacingError::ArchivedProduct { line } => Failure::invalid(
            "PRODUCT_ARCHIVED",
            format!("/lines/{line}"),
            "the product is archived and not sold any more",
        ),
        PlacingError::UnknownCustomer => Failure::invalid(
            "UNKNOWN_CUSTOMER",
            "/customer_id",
            "the company has no such customer; create it first, or leave the field out",
        ),
        PlacingError::CustomerBlocked => Failure::conflict(
            "CUSTOMER_BLOCKED",
            "the company has blocked this customer; end that first, if the order is meant",
        ),
        PlacingError::NoWarehouse => {
            Failure::conflict("NO_WAREHOUSE", "the company has no warehouse; create one first")
        }
    }
}

fn standing(error: &StandingError) -> Failure {
    match error {
        StandingError::NotActive(status) => Failure::conflict(
            "COMPANY_NOT_ACTIVE",
            format!("{error}; finish its registration, or ask support"),
        )
        .with("company_status", status),
        StandingError::KycRequired => Failure::conflict(
            "KYC_REQUIRED",
            "orders abroad need a verified identity; hand in the company's documents",
        ),
    }
}

fn totals(error: &TotalsError) -> Failure {
    let too_much = "the amounts come to more than can be kept";
    match error {
        TotalsError::NoLines => {
            Failure::invalid("LINES_OUT_OF_RANGE", "/lines", "an order has at least one line")
        }
        TotalsError::NoQuantity { line } => Failure::invalid(
            "INVALID_QUANTITY",
            format!("/lines/{line}/quantity"),
            "order at least one piece",
        ),
        TotalsError::DiscountTooLarge { pointer } => Failure::invalid(
            "DISCOUNT_TOO_LARGE",
            pointer.clone(),
            "the discount is greater than what it is taken from",
        ),
        TotalsError::TooHeavy => {
            Failure::invalid("ORDER_TOO_HEAVY", "/lines", "the order weighs more than a tonne; split it")
        }
        TotalsError::Money { pointer, source } => match source {
            MoneyError::CurrencyMismatch { .. } => Failure::invalid(
                "CURRENCY_MISMATCH",
                pointer.clone(),
                "an order has one currency: that of its first line",
            ),
            MoneyError::Negative => {
                Failure::invalid("NEGATIVE_AMOUNT", pointer.clone(), "an amount must not be negative here")
            }
            MoneyError::TooLarge => Failure::invalid("AMOUNT_TOO_LARGE", pointer.clone(), too_much),
            MoneyError::NotDecimal | MoneyError::TooPrecise { .. } => {
                Failure::invalid("INVALID_AMOUNT", pointer.clone(), source.to_string())
            }
        },
    }
}
