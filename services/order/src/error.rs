//! The one error of the service, and the one table that tells callers what to do about it.

use quenty_kernel::{Failure, Kind};

use crate::domain::{
    product::ProductError, reservation::ReservationError, stock::StockError, transfer::TransferError,
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
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Platform(error.into())
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::Platform(failure.into())
    }
}

impl From<Error> for quenty_platform::Error {
    fn from(error: Error) -> Self {
        let failure = match error {
            Error::Platform(error) => return error,
            Error::Product(error) => product(&error),
            Error::Warehouse(error) => warehouse(&error),
            Error::Stock(error) => stock(&error),
            Error::Reservation(error) => reservation(&error),
            Error::Transfer(error) => transfer(&error),
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
            "no single warehouse holds enough of everything; `products` says what each one has available",
        )
        .with("products", shortages),
        StockError::QuantityTooLarge => Failure::new(
            Kind::Invalid,
            "QUANTITY_TOO_LARGE",
            "the quantities of one product add up to more than can be kept",
        ),
        StockError::ExpiryDiffers => Failure::conflict(
            "BATCH_EXPIRY_DIFFERS",
            "the batch is known in this warehouse with another expiry date; correct the date or name another batch",
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
            Failure::conflict("RESERVATION_STATE", error.to_string()).with("status", status.as_str())
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
