//! Where everything stands on a page, from top to bottom. Captions are in Spanish and English.

use super::canvas::{Align, Area, Canvas, PAGE_WIDTH, Style};
use super::codes;
use super::text::{Encoded, Font, encode, width, wrap};
use super::{Label, LabelError, Party};
use quenty_kernel::address::Address;
use quenty_kernel::measure::Grams;

const MARGIN: f32 = 12.0;
const INNER: f32 = PAGE_WIDTH - 2.0 * MARGIN;
const RIGHT: f32 = PAGE_WIDTH - MARGIN;
const LINE_SPACING: f32 = 1.16;
/// In points: what still reads on a thermal print.
const SMALLEST: f32 = 5.0;
/// Room for five printer dots to the module of a QR code of version 4, which holds 62 characters.
const QR: f32 = 79.0;

const CAPTION: Style = Style::new(Font::Regular, 6.0);

/// Draws the page of the `number`-th parcel, counted from one.
pub(super) fn page(label: &Label<'_>, number: usize, weight: Grams) -> Result<Vec<u8>, LabelError> {
    let mut canvas = Canvas::new();
    header(&mut canvas, label, number)?;
    rule(&mut canvas, 54.0);
    caption(&mut canvas, MARGIN, 62.0, "REMITENTE / FROM")?;
    sender(&mut canvas, &label.sender)?;
    rule(&mut canvas, 110.0);
    caption(&mut canvas, MARGIN, 118.0, "DESTINATARIO / TO")?;
    let facts_at = if label.cash_on_delivery.is_some() { 216.0 } else { 240.0 };
    recipient(&mut canvas, &label.recipient, facts_at - 124.0)?;
    rule(&mut canvas, facts_at);
    facts(&mut canvas, label, weight, facts_at)?;
    rule(&mut canvas, facts_at + 30.0);
    cash_on_delivery(&mut canvas, label, facts_at + 34.0)?;
    routing(&mut canvas, label)?;
    rule(&mut canvas, 350.0);
    barcode(&mut canvas, label)?;
    Ok(canvas.finish())
}

fn header(canvas: &mut Canvas, label: &Label<'_>, number: usize) -> Result<(), LabelError> {
    canvas.fill(Area { x: MARGIN, y: 12.0, width: 74.0, height: 36.0 });
    let logo = Style::new(Font::Bold, 29.0).aligned(Align::Center).white();
    canvas.text(MARGIN + 37.0, 40.5, logo, &encode("carrier", "QTY")?);

    let pieces = encode("parcels", &format!("{number} / {}", label.parcels.len()))?;
    let pieces_style = Style::new(Font::Bold, 18.0).aligned(Align::Right);
    canvas.text(RIGHT, 43.0, pieces_style, &pieces);
    canvas.text(RIGHT, 20.0, CAPTION.aligned(Align::Right), &encode("caption", "BULTO / PARCEL")?);

    caption(canvas, 96.0, 20.0, "SERVICIO / SERVICE")?;
    let room = RIGHT - width(&pieces, Font::Bold, 18.0).max(50.0) - 10.0 - 96.0;
    let service = encode("service", label.service)?;
    let style = one_line("service", &service, Font::Bold, 18.0, room)?;
    canvas.text(96.0, 43.0, style, &service);
    Ok(())
}

fn sender(canvas: &mut Canvas, party: &Party<'_>) -> Result<(), LabelError> {
    let area = Area { x: MARGIN, y: 64.0, width: INNER, height: 43.0 };
    block(canvas, area, "sender", &shortened(short_lines(party)?, area), 8.5)
}

fn recipient(canvas: &mut Canvas, party: &Party<'_>, height: f32) -> Result<(), LabelError> {
    let area = Area { x: MARGIN, y: 121.0, width: INNER, height };
    block(canvas, area, "recipient", &lines(party)?, 14.0)
}

/// Weight, promised date, order and incoterm, side by side.
fn facts(canvas: &mut Canvas, label: &Label<'_>, weight: Grams, top: f32) -> Result<(), LabelError> {
    let promised = label.promised_date.map_or_else(|| "-".to_owned(), |date| date.to_string());
    let kilograms = kilograms(weight);
    let incoterm = label.incoterm.unwrap_or_default();
    let cells = [
        (56.0, "PESO / WEIGHT", "weight", kilograms.as_str()),
        (76.0, "ENTREGA / DELIVER BY", "promised date", promised.as_str()),
        (42.0, if incoterm.is_empty() { "" } else { "INCOTERM" }, "incoterm", incoterm),
        (INNER - 174.0, "PEDIDO / ORDER", "order reference", label.order_reference),
    ];
    let mut x = MARGIN;
    for (cell, title, field, value) in cells {
        caption(canvas, x, top + 9.0, title)?;
        let area = Area { x, y: top + 12.0, width: cell - 6.0, height: 16.0 };
        block(canvas, area, field, &shortened(vec![bold(field, value)?], area), 11.0)?;
        x += cell;
    }
    Ok(())
}

fn cash_on_delivery(canvas: &mut Canvas, label: &Label<'_>, top: f32) -> Result<(), LabelError> {
    let Some(amount) = label.cash_on_delivery else { return Ok(()) };
    canvas.fill(Area { x: MARGIN, y: top, width: INNER, height: 20.0 });
    let title = Style::new(Font::Bold, 9.0).white();
    canvas.text(MARGIN + 6.0, top + 13.8, title, &encode("caption", "COBRAR / CASH ON DELIVERY")?);
    let amount = encode("cash on delivery", &amount.to_string())?;
    let style = one_line("cash on delivery", &amount, Font::Bold, 14.0, 112.0)?;
    canvas.text(RIGHT - 6.0, top + 15.0, style.aligned(Align::Right).white(), &amount);
    Ok(())
}

/// What a sorter looks for, and the QR code beside it.
fn routing(canvas: &mut Canvas, label: &Label<'_>) -> Result<(), LabelError> {
    let address = label.recipient.address;
    let qr = Area { x: RIGHT - QR, y: 271.0, width: QR, height: QR };
    codes::qr(canvas, qr, label.tracking_url)?;

    caption(canvas, MARGIN, 284.0, "DESTINO / DESTINATION")?;
    let width = INNER - QR - 4.0;
    let code = format!("{} {}", address.country(), address.postal_code().unwrap_or_default());
    let area = Area { x: MARGIN, y: 286.0, width, height: 34.0 };
    block(canvas, area, "postal code", &[bold("postal code", code.trim_end())?], 29.0)?;
    let area = Area { x: MARGIN, y: 320.0, width, height: 27.0 };
    block(canvas, area, "city", &[bold("city", address.city())?], 18.0)
}

fn barcode(canvas: &mut Canvas, label: &Label<'_>) -> Result<(), LabelError> {
    let number = label.tracking_number.to_string();
    // Ten modules of quiet zone on either side.
    let area = Area { x: 14.2, y: 357.0, width: PAGE_WIDTH - 28.4, height: 47.0 };
    codes::barcode(canvas, area, &number)?;
    let parts = [0..3, 3..7, 7..11, 11..14, 14..16].map(|range| number.get(range).unwrap_or_default());
    let spaced = encode("tracking number", &parts.join(" "))?;
    let style = Style::new(Font::Bold, 14.0).aligned(Align::Center);
    canvas.text(PAGE_WIDTH / 2.0, 420.0, style, &spaced);
    Ok(())
}

/// Tens of grams, rounded up, so that a label never says less than the scale. A third decimal could
/// be read as thousands.
fn kilograms(weight: Grams) -> String {
    let tens = weight.get().div_ceil(10);
    format!("{}.{:02} kg", tens / 100, tens % 100)
}

fn rule(canvas: &mut Canvas, y: f32) {
    canvas.fill(Area { x: MARGIN, y, width: INNER, height: 1.0 });
}

fn caption(canvas: &mut Canvas, x: f32, y: f32, text: &str) -> Result<(), LabelError> {
    canvas.text(x, y, CAPTION, &encode("caption", text)?);
    Ok(())
}

/// The style in which the text fits on one line, down to half of the size wanted.
fn one_line(
    field: &'static str,
    text: &Encoded,
    font: Font,
    size: f32,
    room: f32,
) -> Result<Style, LabelError> {
    let wide = width(text, font, size);
    let fitting = if wide > room { size * room / wide } else { size };
    if fitting < size / 2.0 {
        return Err(LabelError::TooLong { field });
    }
    Ok(Style::new(font, fitting))
}

struct Line {
    text: Encoded,
    font: Font,
}

fn bold(field: &'static str, text: &str) -> Result<Line, LabelError> {
    Ok(Line { text: encode(field, text)?, font: Font::Bold })
}

/// Name, company, street, town, country in words, phone, each on a line of its own.
fn lines(party: &Party<'_>) -> Result<Vec<Line>, LabelError> {
    let address = party.address;
    let phone = party.phone.map(|phone| format!("Tel. {phone}"));
    encode_all([
        (Font::Bold, "name", Some(party.name)),
        (Font::Regular, "company", party.company),
        (Font::Regular, "address", Some(address.line1())),
        (Font::Regular, "address", address.line2()),
        (Font::Regular, "city", Some(&town(address))),
        (Font::Bold, "country", Some(&party.country_name.to_uppercase())),
        (Font::Regular, "phone", phone.as_deref()),
    ])
}

/// The same in four lines: the sender matters only when a parcel comes back.
fn short_lines(party: &Party<'_>) -> Result<Vec<Line>, LabelError> {
    let address = party.address;
    let phone = party.phone.map(|phone| format!("Tel. {phone}"));
    let street = joined(", ", [Some(address.line1()), address.line2()]);
    let town = format!("{} – {}", town(address), party.country_name.to_uppercase());
    encode_all([
        (Font::Bold, "name", Some(&joined(" – ", [Some(party.name), party.company]))),
        (Font::Regular, "address", Some(&street)),
        (Font::Regular, "city", Some(&town)),
        (Font::Regular, "phone", phone.as_deref()),
    ])
}

fn town(address: &Address) -> String {
    joined(" ", [address.postal_code(), Some(address.city()), address.state()])
}

fn joined<const N: usize>(separator: &str, parts: [Option<&str>; N]) -> String {
    parts.into_iter().flatten().collect::<Vec<_>>().join(separator)
}

fn encode_all<const N: usize>(
    lines: [(Font, &'static str, Option<&str>); N],
) -> Result<Vec<Line>, LabelError> {
    lines
        .into_iter()
        .filter_map(|(font, field, text)| Some((font, field, text?)))
        .map(|(font, field, text)| Ok(Line { text: encode(field, text)?, font }))
        .collect()
}

/// Cuts the longest line until all fit in the smallest letters. Not for the recipient: what is cut off here is known
/// by the tracking number.
fn shortened(mut lines: Vec<Line>, area: Area) -> Vec<Line> {
    while broken(&lines, SMALLEST, area).is_none() {
        let longest = lines.iter_mut().max_by_key(|line| line.text.len());
        if longest.and_then(|line| line.text.pop()).is_none() {
            break;
        }
    }
    lines
}

/// The lines in one size, the long ones broken; nothing, if the area is too small for them.
fn broken(lines: &[Line], size: f32, area: Area) -> Option<Vec<(Font, Encoded)>> {
    let wrapped = |line: &Line| {
        let font = line.font;
        wrap(&line.text, font, size, area.width).into_iter().map(move |text| (font, text))
    };
    let broken: Vec<_> = lines.iter().flat_map(wrapped).collect();
    (broken.len() as f32 * size * LINE_SPACING <= area.height).then_some(broken)
}

/// Writes the lines as large as they fit, breaking the long ones.
fn block(
    canvas: &mut Canvas,
    area: Area,
    field: &'static str,
    lines: &[Line],
    largest: f32,
) -> Result<(), LabelError> {
    let mut size = largest;
    while size >= SMALLEST {
        if let Some(broken) = broken(lines, size, area) {
            let mut y = area.y + size * 0.9;
            for (font, text) in &broken {
                canvas.text(area.x, y, Style::new(*font, size), text);
                y += size * LINE_SPACING;
            }
            return Ok(());
        }
        size -= 0.5;
    }
    Err(LabelError::TooLong { field })
}
