//! The two codes of a label: Code 128 for the carrier's scanners, QR for anyone's phone.

use super::LabelError;
use super::canvas::{Area, Canvas, DOT};
use super::code128;
use qrcodegen::{QrCode, QrCodeEcc};

/// Four dots, 0.5 mm: what conveyor scanners read (GS1 General Specifications, logistic labels).
const MODULE: f32 = 4.0 * DOT;

/// Draws the barcode of `text` in the middle of `area`, whose margins are its quiet zones.
pub(super) fn barcode(canvas: &mut Canvas, area: Area, text: &str) -> Result<(), LabelError> {
    let field = "tracking number";
    let widths = code128::widths(text).ok_or(LabelError::Unprintable { field })?;
    let total: f32 = widths.iter().map(|&width| f32::from(width) * MODULE).sum();
    if total > area.width {
        return Err(LabelError::TooLong { field });
    }
    let mut x = area.x + (area.width - total) / 2.0;
    let mut bars = Vec::new();
    for (at, width) in widths.iter().map(|&width| f32::from(width) * MODULE).enumerate() {
        if at.is_multiple_of(2) {
            bars.push(Area { x, width, ..area });
        }
        x += width;
    }
    canvas.fill_all(bars);
    Ok(())
}

/// Draws the QR code of `text` in the upper left corner of `area`, as large as whole dots allow; the
/// four modules of its quiet zone lie inside.
pub(super) fn qr(canvas: &mut Canvas, area: Area, text: &str) -> Result<(), LabelError> {
    let too_long = LabelError::TooLong { field: "tracking address" };
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).map_err(|_| too_long)?;
    let side = u16::try_from(code.size()).map_err(|_| too_long)?;
    let dots = (area.width.min(area.height) / (f32::from(side) + 8.0) / DOT).floor();
    // Three dots are what a phone still reads from a worn thermal print.
    if dots < 3.0 {
        return Err(too_long);
    }
    let module = dots * DOT;
    let mut squares = Vec::new();
    for row in 0..side {
        for column in (0..side).filter(|&column| code.get_module(i32::from(column), i32::from(row))) {
            squares.push(Area {
                x: area.x + (f32::from(column) + 4.0) * module,
                y: area.y + (f32::from(row) + 4.0) * module,
                width: module,
                height: module,
            });
        }
    }
    canvas.fill_all(squares);
    Ok(())
}
