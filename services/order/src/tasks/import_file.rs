//! The kept pieces of an imported file, read as one stream of orders with constant memory: never more than a
//! piece, a row, and an order at a time.

use std::{
    io::Read,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use quenty_kernel::id::ImportId;
use quenty_platform::App;
use tokio::{runtime::Handle, sync::mpsc};

use crate::{
    Error,
    domain::import::{
        ImportedOrder, RowError,
        shopify::{Columns, Grouper, Row},
    },
    store::imports,
};

/// Orders that are read ahead.
const READ_AHEAD: usize = 16;
/// A quotation mark that is never closed would make the rest of the file one cell.
const MAX_ROW_BYTES: usize = 1 << 20;

/// An order as the file has it, or why it cannot be taken.
pub(super) type ReadOrder = Result<ImportedOrder, RowError>;

/// A file that is being read, on a thread of its own: the CSV reader waits for the database like for a disk.
pub(super) struct Reading {
    pub(super) orders: mpsc::Receiver<ReadOrder>,
    thread: tokio::task::JoinHandle<Result<Option<String>, Error>>,
}

impl Reading {
    pub(super) fn begin(app: &App, id: ImportId) -> Self {
        let (sender, orders) = mpsc::channel(READ_AHEAD);
        let since_row = Arc::new(AtomicUsize::new(0));
        let file = PartReader {
            app: app.clone(),
            id,
            next: 0,
            part: Vec::new(),
            at: 0,
            runtime: Handle::current(),
            since_row: Arc::clone(&since_row),
        };
        Self { orders, thread: tokio::task::spawn_blocking(move || read(file, &since_row, &sender)) }
    }

    /// Why the file as a whole could not be read, if it could not.
    pub(super) async fn end(self) -> Result<Option<String>, Error> {
        // A reader that still waits for someone to take its orders would wait for ever.
        drop(self.orders);
        self.thread.await.map_err(quenty_platform::Error::internal)?
    }
}

fn read(
    file: PartReader,
    since_row: &AtomicUsize,
    orders: &mpsc::Sender<ReadOrder>,
) -> Result<Option<String>, Error> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(file);
    let header = match reader.headers() {
        Ok(header) => header.clone(),
        Err(error) => return unreadable(error, 1),
    };
    let mut grouper = match Columns::read(header.iter()) {
        Ok(columns) => Grouper::new(columns),
        Err(missing) => return Ok(Some(missing.to_string())),
    };
    let mut record = csv::StringRecord::new();
    loop {
        since_row.store(0, Ordering::Relaxed);
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => return unreadable(error, reader.position().line()),
        }
        let line = record.position().map_or(0, csv::Position::line);
        let row = Row { line, cells: record.iter().map(str::to_owned).collect() };
        if let Some(order) = grouper.push(row)
            && orders.blocking_send(order).is_err()
        {
            return Ok(None);
        }
    }
    if let Some(order) = grouper.finish() {
        // The receiver is gone only when the work has failed already.
        drop(orders.blocking_send(order));
    }
    Ok(None)
}

/// A damaged file fails the import; a database that is away lets the task try again.
fn unreadable(error: csv::Error, line: u64) -> Result<Option<String>, Error> {
    match error.into_kind() {
        csv::ErrorKind::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            Ok(Some(format!("line {line}: {error}")))
        }
        csv::ErrorKind::Io(error) => Err(quenty_platform::Error::internal(error).into()),
        csv::ErrorKind::Utf8 { pos, .. } => Ok(Some(format!(
            "line {} is not UTF-8: save the file as UTF-8",
            pos.map_or(line, |pos| pos.line())
        ))),
        other => Ok(Some(format!("the file is not CSV: {other:?}"))),
    }
}

/// The pieces of the file as one.
struct PartReader {
    app: App,
    id: ImportId,
    next: i32,
    part: Vec<u8>,
    at: usize,
    runtime: Handle,
    /// Bytes read since the last whole row.
    since_row: Arc<AtomicUsize>,
}

impl Read for PartReader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.at == self.part.len() {
            let part = self
                .runtime
                .block_on(imports::part(self.app.db(), self.id, self.next))
                .map_err(std::io::Error::other)?;
            let Some(part) = part else { return Ok(0) };
            self.next += 1;
            self.part = part;
            self.at = 0;
        }
        let count = buffer.len().min(self.part.len() - self.at);
        if self.since_row.fetch_add(count, Ordering::Relaxed) > MAX_ROW_BYTES {
            let why = format!("a row of more than {MAX_ROW_BYTES} bytes: is a quotation mark not closed?");
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, why));
        }
        buffer[..count].copy_from_slice(&self.part[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}
