//! Images in a terminal: two pixels to a character.

use super::scene::Picture;

/// The pictures in one row, with what the model reads in each below it; in shades of grey, or black
/// and white.
pub(super) fn row(pictures: &[Picture<'_>], grey: bool) -> String {
    let mut text = String::new();
    for line in 0..4 {
        for picture in pictures {
            text.push_str("  ");
            for column in 0..8 {
                let pixel = |row: usize| picture.pixels[row * 8 + column];
                text.push_str(&half_blocks(pixel(2 * line), pixel(2 * line + 1), grey));
            }
        }
        text.push('\n');
    }
    for picture in pictures {
        text.push_str(&format!("  {:^8}", picture.read));
    }
    text.push('\n');
    text
}

/// One character of two pixels between 0 and 16.
fn half_blocks(upper: f32, lower: f32, grey: bool) -> String {
    if grey {
        // The 24 greys of a 256-colour terminal.
        let shade = |pixel: f32| 232 + (pixel / 16.0 * 23.0) as u8;
        let (upper, lower) = (shade(upper), shade(lower));
        return format!("\x1b[38;5;{upper};48;5;{lower}m\u{2580}\x1b[0m");
    }
    let block = match (upper >= 8.0, lower >= 8.0) {
        (false, false) => ' ',
        (true, false) => '\u{2580}',
        (false, true) => '\u{2584}',
        (true, true) => '\u{2588}',
    };
    block.into()
}
