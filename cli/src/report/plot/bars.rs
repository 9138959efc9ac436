//! Horizontal bars, each of one or several parts.

use super::Scale;
use super::canvas::{Anchor, Canvas, FONT, MARGIN, WIDTH, series_class, text_width};
use super::legend::{Sample, legend};

/// Height of a row.
const ROW: f64 = 30.0;
/// Height of a bar.
const BAR: f64 = 18.0;

/// One bar.
pub struct Row {
    /// What it is of.
    pub label: String,
    /// Its parts, as long as [`BarPlot::parts`].
    pub values: Vec<f64>,
    /// What stands at its end.
    pub note: String,
}

/// A value to compare all bars with.
pub struct Reference {
    /// The value.
    pub at: f64,
    /// What it is.
    pub label: String,
}

/// A plot of bars. On a logarithmic scale bars have one part.
pub struct BarPlot {
    /// What it shows.
    pub title: String,
    /// The quantity and its unit.
    pub axis: String,
    /// Range and ticks.
    pub scale: Scale,
    /// Names of the parts; a single part needs none, and has no legend.
    pub parts: Vec<String>,
    /// The bars, from above.
    pub rows: Vec<Row>,
    /// A line across all bars.
    pub reference: Option<Reference>,
}

impl BarPlot {
    /// The plot as an SVG file.
    pub fn svg(&self) -> String {
        let names: Vec<_> = self.parts.iter().map(|name| (&name[..], Sample::Area)).collect();
        let named = if names.len() > 1 { &names[..] } else { &[] };
        let above = if self.reference.is_some() { 2.0 * FONT } else { FONT };
        let top = legend(None, named) + above;
        let bottom = top + ROW * self.rows.len() as f64;
        let mut canvas = Canvas::new(&self.title, bottom + 44.0 + MARGIN);
        legend(Some(&mut canvas), named);

        let widest = |texts: &mut dyn Iterator<Item = &String>| {
            texts.map(|text| text_width(text, FONT)).fold(0.0, f64::max)
        };
        let left = MARGIN + widest(&mut self.rows.iter().map(|r| &r.label)) + 10.0;
        let right = WIDTH - MARGIN - widest(&mut self.rows.iter().map(|r| &r.note)) - 8.0;
        let x_at = |value| left + (right - left) * self.scale.position(value);
        for (at, label) in self.scale.ticks() {
            let x = x_at(*at);
            canvas.line((x, top), (x, bottom), "grid");
            canvas.text((x, bottom + 6.0 + FONT), Anchor::Middle, "muted", label);
        }
        for (i, row) in self.rows.iter().enumerate() {
            let middle = top + ROW * (i as f64 + 0.5);
            let baseline = middle + 0.35 * FONT;
            canvas.text((left - 8.0, baseline), Anchor::End, "label", &row.label);
            let (mut sum, mut start) = (0.0, left);
            for (part, value) in row.values.iter().enumerate() {
                sum += value;
                let end = x_at(sum);
                let (area, _) = series_class(part);
                let name = self.parts.get(part).map_or("", |name| name);
                let size = (end - start, BAR);
                canvas.rect((start, middle - BAR / 2.0), size, &area, name);
                start = end;
            }
            canvas.text((start + 6.0, baseline), Anchor::Start, "label", &row.note);
        }
        if let Some(Reference { at, label }) = &self.reference {
            let x = x_at(*at);
            canvas.line((x, top - 4.0), (x, bottom), "line axis dashed");
            let half = text_width(label, FONT) / 2.0;
            let x = x.clamp(MARGIN + half, WIDTH - MARGIN - half);
            canvas.text((x, top - 9.0), Anchor::Middle, "muted", label);
        }
        canvas.text((left, bottom + 44.0), Anchor::Start, "muted", &self.axis);
        canvas.finish()
    }
}
