//! QR codes in the terminal, for a phone's camera.

use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;

use super::output::say;

/// Shows `text` as a QR code; a text too long for one is left out, since it stands beside it anyway.
pub(super) fn show(text: &str) {
    if let Some(picture) = picture(text) {
        say(format!("\n{picture}\n"));
    }
}

/// The code as lines of half blocks. Light modules are drawn, dark ones left empty: right on a dark terminal, and
/// cameras read the inverse too.
fn picture(text: &str) -> Option<String> {
    let code = QrCode::new(text.as_bytes()).ok()?;
    Some(code.render::<Dense1x2>().dark_color(Dense1x2::Dark).light_color(Dense1x2::Light).quiet_zone(true).build())
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_link_becomes_a_square_of_blocks() {
        let picture = super::picture("https://phones.example.org/i/AAAAAAAAAAAAAAAAAAAAAA").expect("fits");
        let lines: Vec<&str> = picture.lines().collect();
        let width = lines.first().expect("lines").chars().count();
        assert!(lines.iter().all(|line| line.chars().count() == width));
        assert_eq!(width.div_ceil(2), lines.len());
        assert_eq!(super::picture(&"x".repeat(5000)), None);
    }
}
