//! Prints labels and reads them back as a scanner does: rendered by poppler, decoded by ZBar.

use super::*;
use quenty_kernel::address::AddressParts;
use quenty_kernel::country::CountryCode;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

const URL: &str = "https://track.quenty.example/QTY00012345674CO";

fn address(country: &str, line1: &str, city: &str, postal_code: &str) -> Address {
    Address::new(AddressParts {
        line1: line1.to_owned(),
        line2: Some("Torre 3, apto. 702, portería".to_owned()),
        city: city.to_owned(),
        state: Some("Cundinamarca".to_owned()),
        postal_code: Some(postal_code.to_owned()),
        country: country.parse().unwrap(),
        location: None,
    })
    .unwrap()
}

static BOGOTA: LazyLock<Address> =
    LazyLock::new(|| address("CO", "Calle 26 # 59-51", "Bogotá, D. C.", "111321"));
static SAO_PAULO: LazyLock<Address> =
    LazyLock::new(|| address("BR", "Avenida São João, 1.234 – Consolação", "São Paulo", "01035-000"));
static PARCELS: LazyLock<[Grams; 2]> =
    LazyLock::new(|| [1_234, 20_000].map(|grams| Grams::new(grams).unwrap()));

fn label() -> Label<'static> {
    Label {
        service: "Internacional Express",
        sender: Party {
            name: "Íñigo Muñoz Agüero",
            company: Some("Almacén El Ñandú S. A. S."),
            phone: Some("+573001234567"),
            address: &BOGOTA,
            country_name: "Colombia",
        },
        recipient: Party {
            name: "João Antônio Conceição",
            company: None,
            phone: Some("+5511987654321"),
            address: &SAO_PAULO,
            country_name: "Brasil",
        },
        parcels: PARCELS.as_slice(),
        incoterm: Some("DAP"),
        order_reference: "PED-2026-000481",
        promised_date: Some(jiff::civil::date(2026, 11, 30)),
        cash_on_delivery: Some(Money::parse("129900.50", "COP".parse().unwrap()).unwrap()),
        tracking_number: TrackingNumber::new(1_234_567, CountryCode::CO).unwrap(),
        tracking_url: URL,
    }
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| {
        panic!("{command:?}: {error}; install the Debian packages poppler-utils and zbar-tools")
    });
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Renders a page as a 203 dpi printer does and returns what a scanner reads from it.
fn scan(pdf: &[u8], page: usize, folder: &Path) -> Vec<String> {
    let (file, image) = (folder.join("label.pdf"), folder.join(format!("page-{page}")));
    std::fs::write(&file, pdf).unwrap();
    let page = page.to_string();
    run(Command::new("pdftoppm")
        .args(["-r", "203", "-png", "-singlefile", "-f", &page, "-l", &page])
        .arg(&file)
        .arg(&image));
    let mut codes: Vec<String> = run(Command::new("zbarimg").arg("--quiet").arg(image.with_extension("png")))
        .lines()
        .map(str::to_owned)
        .collect();
    codes.sort();
    codes
}

#[test]
fn both_codes_of_every_page_read_as_the_tracking_number() {
    let folder = tempfile::tempdir().unwrap();
    let pdf = label_pdf(&label()).unwrap();
    for page in [1, 2] {
        let codes = scan(&pdf, page, folder.path());
        assert_eq!(codes, ["CODE-128:QTY00012345674CO".to_owned(), format!("QR-Code:{URL}")]);
    }
}

#[test]
fn the_text_of_a_label_says_all_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("label.pdf");
    std::fs::write(&file, label_pdf(&label()).unwrap()).unwrap();
    // How wide a gap has to be to count as a blank is poppler's guess, so blanks are left out.
    let packed = |text: &str| text.replace(char::is_whitespace, "");
    let text = run(Command::new("pdftotext").args(["-layout", "-f", "2", "-l", "2"]).arg(&file).arg("-"));
    for part in [
        "QTY",
        "Internacional Express",
        "2 / 2",
        "Íñigo Muñoz Agüero",
        "Almacén El Ñandú S. A. S.",
        "Calle 26 # 59-51",
        "COLOMBIA",
        "João Antônio Conceição",
        "Avenida São João, 1.234 – Consolação",
        "01035-000 São Paulo",
        "BRASIL",
        "20.00 kg",
        "2026-11-30",
        "PED-2026-000481",
        "DAP",
        "129900.50 COP",
        "BR 01035-000",
        "QTY 0001 2345 674 CO",
    ] {
        assert!(packed(&text).contains(&packed(part)), "{part} is missing in:\n{text}");
    }
}

#[test]
fn every_serial_gives_a_readable_barcode() {
    let folder = tempfile::tempdir().unwrap();
    for (serial, country) in [(0, "MX"), (9_999_999_999, "US"), (1_020_304_050, "BR"), (5_551_112_223, "AR")]
    {
        let number = TrackingNumber::new(serial, country.parse().unwrap()).unwrap();
        let pdf = label_pdf(&Label { tracking_number: number, ..label() }).unwrap();
        assert!(scan(&pdf, 1, folder.path()).contains(&format!("CODE-128:{number}")), "{number}");
    }
}

#[test]
fn the_same_label_gives_the_same_bytes() {
    assert_eq!(label_pdf(&label()), label_pdf(&label()));
}

#[test]
fn what_is_absent_leaves_no_trace() {
    let pdf = label_pdf(&Label { cash_on_delivery: None, incoterm: None, ..label() }).unwrap();
    let drawn = String::from_utf8_lossy(&pdf).into_owned();
    assert!(!drawn.contains("CASH ON DELIVERY") && !drawn.contains("INCOTERM"));
}

#[test]
fn the_longest_address_that_a_party_may_have_still_fits() {
    let long = address("CO", &"Carrera séptima número cien ".repeat(7), &"Santa Rosa ".repeat(9), "110111");
    let recipient = Party { address: &long, ..label().recipient };
    assert!(label_pdf(&Label { recipient, ..label() }).is_ok());
}

#[test]
fn the_longest_reference_is_shortened_and_the_longest_sender_fits() {
    for reference in ["W".repeat(100), "Pedido 4 ".repeat(11)] {
        assert!(label_pdf(&Label { order_reference: &reference, ..label() }).is_ok(), "{reference}");
    }
    let long = address("CO", &"Carrera séptima número cien ".repeat(7), &"Santa Rosa ".repeat(9), "110111");
    let name = "Agropecuaria y Ganadera ".repeat(5);
    let sender = Party { name: &name, company: Some(&name), address: &long, ..label().sender };
    assert!(label_pdf(&Label { sender, ..label() }).is_ok());
}

#[test]
fn what_cannot_be_printed_is_named_and_not_repeated() {
    let recipient = Party { name: "Иван", ..label().recipient };
    let error = label_pdf(&Label { recipient, ..label() }).unwrap_err();
    assert_eq!(error, LabelError::Unprintable { field: "name" });
    assert!(!error.to_string().contains("Иван"));

    let country_name = "X".repeat(2_000);
    let recipient = Party { country_name: &country_name, ..label().recipient };
    let error = label_pdf(&Label { recipient, ..label() }).unwrap_err();
    assert_eq!(error, LabelError::TooLong { field: "recipient" });

    assert_eq!(label_pdf(&Label { parcels: &[], ..label() }), Err(LabelError::NoParcels));
}
