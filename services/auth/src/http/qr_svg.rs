//! A QR code as an SVG image.

use std::fmt::Write;

use qrcodegen::{DataTooLong, QrCode, QrCodeEcc};

/// Light modules around the code, which readers need (ISO/IEC 18004).
const QUIET_ZONE: i32 = 4;

/// # Errors
/// When the text is longer than a QR code holds.
pub(super) fn qr_svg(text: &str) -> Result<String, DataTooLong> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium)?;
    let side = code.size() + 2 * QUIET_ZONE;
    let mut squares = String::new();
    for y in 0..code.size() {
        for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
            // Writing into a string does not fail.
            let _ = write!(squares, "M{},{}h1v1h-1z", x + QUIET_ZONE, y + QUIET_ZONE);
        }
    }
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0,0h{side}v{side}h-{side}z\"/><path d=\"{squares}\"/></svg>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_dark_module_is_a_square_inside_the_quiet_zone() {
        let code = QrCode::encode_text("otpauth://totp/x", QrCodeEcc::Medium).unwrap();
        let svg = qr_svg("otpauth://totp/x").unwrap();
        let all = (0..code.size()).flat_map(|y| (0..code.size()).map(move |x| (x, y)));
        let dark: Vec<_> = all.filter(|(x, y)| code.get_module(*x, *y)).collect();
        assert_eq!(svg.matches("h1v1h-1z").count(), dark.len());
        for (x, y) in dark {
            assert!(svg.contains(&format!("M{},{}h1", x + 4, y + 4)), "{x},{y}");
        }
        assert!(svg.contains(&format!("viewBox=\"0 0 {0} {0}\"", code.size() + 8)));
        assert!(qr_svg(&"x".repeat(5000)).is_err());
    }
}
