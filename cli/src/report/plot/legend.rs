//! The names of series, in lines of as many as fit.

use super::canvas::{Anchor, Canvas, FONT, MARGIN, TITLE_FONT, WIDTH, series_class, text_width};

/// Height of a line of the legend.
const LINE: f64 = 20.0;
/// Width of a series' sample, with the space after it.
const SAMPLE: f64 = 26.0;
/// Baseline of the first line.
const TOP: f64 = MARGIN + TITLE_FONT + 24.0;

/// How a legend shows a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Sample {
    Area,
    Line,
    Dashed,
}

/// Draws the legend of all named series; the height below which the plot may begin.
pub(super) fn legend(canvas: Option<&mut Canvas>, names: &[(&str, Sample)]) -> f64 {
    let (mut x, mut y) = (MARGIN, TOP);
    let mut canvas = canvas;
    for (index, &(name, sample)) in names.iter().enumerate() {
        let width = SAMPLE + text_width(name, FONT);
        if x > MARGIN && x + width > WIDTH - MARGIN {
            (x, y) = (MARGIN, y + LINE);
        }
        if let Some(canvas) = canvas.as_deref_mut() {
            let (area, line) = series_class(index);
            let middle = y - 0.35 * FONT;
            match sample {
                Sample::Area => canvas.rect((x, middle - 6.0), (18.0, 12.0), &area, name),
                Sample::Line => canvas.line((x, middle), (x + 18.0, middle), &line),
                Sample::Dashed => {
                    canvas.line((x, middle), (x + 18.0, middle), &format!("{line} dashed"));
                }
            }
            canvas.text((x + SAMPLE, y), Anchor::Start, "label", name);
        }
        x += width + 18.0;
    }
    if names.is_empty() { TOP - LINE } else { y }
}
