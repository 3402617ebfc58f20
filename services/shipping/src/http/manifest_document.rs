//! The manifest on paper, A4: its head, a line for each shipment, its totals. Captions in Spanish and English.
//!
//! Pure: the same manifest gives the same bytes.

use crate::domain::{
    manifest::{ManifestLine, ManifestState},
    printable,
};
use pdf_writer::{Content, Str};

use super::{
    label::text::{Encoded, Font, width},
    pdf::Document,
};

const PAGE_WIDTH: f32 = 595.0;
const PAGE_HEIGHT: f32 = 842.0;
const MARGIN: f32 = 40.0;
const ROW: f32 = 16.0;
const HEAD: f32 = 150.0;
const ROWS_A_PAGE: usize = 38;
/// Where each column begins; the last is where the right one ends.
const COLUMNS: [f32; 6] = [MARGIN, 66.0, 190.0, 380.0, 480.0, PAGE_WIDTH - MARGIN];

/// Draws the manifest.
#[must_use]
pub fn manifest_pdf(manifest: &ManifestState, company: &str, lines: &[ManifestLine]) -> Vec<u8> {
    let chunks: Vec<&[ManifestLine]> =
        if lines.is_empty() { vec![&[]] } else { lines.chunks(ROWS_A_PAGE).collect() };
    let mut document = Document::new(&manifest.id.to_string(), PAGE_WIDTH, PAGE_HEIGHT);
    for (index, chunk) in chunks.iter().enumerate() {
        let mut sheet = Sheet(Content::new());
        sheet.head(manifest, company, index + 1, chunks.len());
        sheet.table(chunk, index * ROWS_A_PAGE);
        if index + 1 == chunks.len() {
            sheet.totals(manifest, HEAD + ROW * (chunk.len() as f32 + 1.5));
        }
        document.page(&sheet.0.finish());
    }
    document.finish()
}

/// What the font has of a text: names and references are the merchant's own, and no reason to print nothing.
fn encoded(text: &str) -> Encoded {
    printable::encode(&printable::readable(text)).unwrap_or_default()
}

/// A page in points from its upper left corner.
struct Sheet(Content);

impl Sheet {
    fn write(&mut self, x: f32, y: f32, font: Font, size: f32, text: &str) {
        let encoded = encoded(text);
        self.0.begin_text().set_font(font.resource(), size);
        self.0.next_line(x, PAGE_HEIGHT - y).show(Str(&encoded)).end_text();
    }

    fn write_right(&mut self, right: f32, y: f32, font: Font, size: f32, text: &str) {
        let wide = width(&encoded(text), font, size);
        self.write(right - wide, y, font, size, text);
    }

    /// Shortens what is wider than its column; the number beside it says which shipment it is.
    fn write_within(&mut self, x: f32, right: f32, y: f32, text: &str) {
        let mut shown = text.to_owned();
        while !shown.is_empty() && width(&encoded(&shown), Font::Regular, 9.0) > right - x {
            shown.pop();
        }
        self.write(x, y, Font::Regular, 9.0, &shown);
    }

    fn rule(&mut self, y: f32) {
        self.0.rect(MARGIN, PAGE_HEIGHT - y, PAGE_WIDTH - 2.0 * MARGIN, 0.6).fill_nonzero();
    }

    fn head(&mut self, manifest: &ManifestState, company: &str, page: usize, of: usize) {
        self.write(MARGIN, 60.0, Font::Bold, 18.0, "Manifiesto / Manifest");
        self.write_right(PAGE_WIDTH - MARGIN, 60.0, Font::Regular, 9.0, &format!("{page} / {of}"));
        self.write(MARGIN, 80.0, Font::Regular, 10.0, &format!("{} – {company}", manifest.id));
        let facts = format!(
            "{} – {} – {} – {}",
            manifest.carrier,
            manifest.origin,
            manifest.date,
            manifest.status.as_str()
        );
        self.write(MARGIN, 96.0, Font::Regular, 10.0, &facts);
        if let Some(reference) = &manifest.reference {
            self.write(MARGIN, 112.0, Font::Regular, 10.0, reference);
        }
        let titles = ["#", "Guía / Tracking number", "Referencia / Reference", "Destino / To"];
        for (x, title) in COLUMNS.into_iter().zip(titles) {
            self.write(x, HEAD - 6.0, Font::Bold, 8.0, title);
        }
        self.write_right(PAGE_WIDTH - MARGIN, HEAD - 6.0, Font::Bold, 8.0, "Bultos, kg / Parcels, kg");
        self.rule(HEAD);
    }

    fn table(&mut self, lines: &[ManifestLine], before: usize) {
        for (row, line) in lines.iter().enumerate() {
            let y = HEAD + ROW * (row as f32 + 0.9);
            self.write(COLUMNS[0], y, Font::Regular, 9.0, &(before + row + 1).to_string());
            self.write(COLUMNS[1], y, Font::Regular, 9.0, &line.tracking_number);
            self.write_within(COLUMNS[2], COLUMNS[3] - 6.0, y, line.reference.as_deref().unwrap_or("–"));
            self.write(COLUMNS[3], y, Font::Regular, 9.0, line.destination.code());
            let measure = format!("{}, {}", line.parcels, kilograms(line.weight_grams));
            self.write_right(COLUMNS[5], y, Font::Regular, 9.0, &measure);
        }
    }

    fn totals(&mut self, manifest: &ManifestState, y: f32) {
        self.rule(y - ROW);
        let total = format!(
            "{} envíos / shipments, {} kg",
            manifest.shipment_count,
            kilograms(manifest.weight_grams)
        );
        self.write(COLUMNS[1], y, Font::Bold, 10.0, "Total");
        self.write_right(PAGE_WIDTH - MARGIN, y, Font::Bold, 10.0, &total);
    }
}

/// Rounded up to tens of grams, as on the label.
fn kilograms(grams: u64) -> String {
    let tens = grams.div_ceil(10);
    format!("{}.{:02}", tens / 100, tens % 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::manifest::ManifestStatus;
    use quenty_kernel::country::CountryCode;
    use quenty_kernel::id::{CompanyId, ManifestId};
    use std::process::Command;

    fn manifest(count: u32) -> ManifestState {
        let at = "2026-01-05T12:00:00Z".parse().unwrap();
        ManifestState {
            id: ManifestId::new(),
            company_id: CompanyId::new(),
            carrier: "QTY".to_owned(),
            origin: CountryCode::CO,
            date: jiff::civil::date(2026, 1, 6),
            reference: Some("vuelo de la mañana".to_owned()),
            status: ManifestStatus::Approved,
            shipment_count: count,
            weight_grams: 1_234 * u64::from(count),
            submitted_by: None,
            rejected_reason: None,
            version: 1,
            created_at: at,
            updated_at: at,
        }
    }

    fn lines(count: usize) -> Vec<ManifestLine> {
        (0..count)
            .map(|index| ManifestLine {
                tracking_number: format!("QTY{index:011}CO"),
                reference: Some("Pedido ñandú ".repeat(8)),
                destination: CountryCode::MX,
                parcels: 2,
                weight_grams: 1_234,
            })
            .collect()
    }

    /// Reads it back with poppler.
    fn printed(pdf: &[u8]) -> String {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("manifest.pdf");
        std::fs::write(&path, pdf).unwrap();
        let output = Command::new("pdftotext")
            .arg("-layout")
            .arg(&path)
            .arg("-")
            .output()
            .expect("apt install poppler-utils");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn every_shipment_and_the_totals_are_on_paper() {
        let text = printed(&manifest_pdf(&manifest(40), "Almacén El Ñandú", &lines(40)));
        for line in lines(40) {
            assert!(text.contains(&line.tracking_number));
        }
        assert!(text.replace(' ', "").contains("2/2"), "two pages");
        assert!(text.contains("40 envíos / shipments, 49.36 kg") && text.contains("El Ñandú"), "{text}");
    }

    #[test]
    fn a_reference_in_other_letters_keeps_what_can_be_printed() {
        let reference = Some("Заказ 481".to_owned());
        let line = ManifestLine { reference: reference.clone(), ..lines(1).remove(0) };
        let state = ManifestState { reference, ..manifest(1) };
        let text = printed(&manifest_pdf(&state, "東京 7", &[line]));
        assert_eq!(text.matches("481").count(), 2, "{text}");
    }

    #[test]
    fn an_empty_manifest_is_one_page_and_the_same_input_the_same_bytes() {
        let state = manifest(0);
        let pdf = manifest_pdf(&state, "A", &[]);
        assert_eq!(pdf, manifest_pdf(&state, "A", &[]));
        assert!(printed(&pdf).contains("0 envíos"));
    }
}
