//! Lines through measured points, over an axis.

use super::Scale;
use super::canvas::{Anchor, Canvas, FONT, MARGIN, WIDTH, series_class, text_width};
use super::legend::{Sample, legend};

/// Height of the area that lines are drawn in.
const AREA: f64 = 270.0;

/// An axis: what it counts, in which unit, and its range.
pub struct Axis {
    /// The quantity and its unit.
    pub title: String,
    /// Range and ticks.
    pub scale: Scale,
}

/// Points of one colour.
pub struct Series {
    /// What the legend calls them.
    name: String,
    /// Values on both axes.
    pub points: Vec<(f64, f64)>,
    /// Whether they are a law to compare with: dashed, without marks.
    is_law: bool,
}

impl Series {
    /// Points that were measured.
    pub fn measured(name: &str, points: Vec<(f64, f64)>) -> Self {
        Self { name: name.into(), points, is_law: false }
    }

    /// A law to compare them with.
    pub fn law(name: &str, points: Vec<(f64, f64)>) -> Self {
        Self { name: name.into(), points, is_law: true }
    }
}

/// A plot of lines.
pub struct LinePlot {
    /// What it shows.
    pub title: String,
    /// The axis below.
    pub x: Axis,
    /// The axis on the left.
    pub y: Axis,
    /// The lines.
    pub series: Vec<Series>,
}

impl LinePlot {
    /// The plot as an SVG file.
    pub fn svg(&self) -> String {
        let sample = |s: &Series| if s.is_law { Sample::Dashed } else { Sample::Line };
        let names: Vec<_> = self.series.iter().map(|s| (&s.name[..], sample(s))).collect();
        let y_title = legend(None, &names) + 28.0;
        let top = y_title + 14.0;
        let bottom = top + AREA;
        let mut canvas = Canvas::new(&self.title, bottom + 44.0 + MARGIN);
        legend(Some(&mut canvas), &names);
        canvas.text((MARGIN, y_title), Anchor::Start, "muted", &self.y.title);

        let widest = |ticks: &[(f64, String)]| {
            ticks.iter().map(|(_, label)| text_width(label, FONT)).fold(0.0, f64::max)
        };
        let left = MARGIN + widest(self.y.scale.ticks()) + 10.0;
        let right = WIDTH - MARGIN - widest(self.x.scale.ticks()) / 2.0;
        let x_at = |v| left + 12.0 + (right - left - 12.0) * self.x.scale.position(v);
        let y_at = |v| bottom - AREA * self.y.scale.position(v);
        for (at, label) in self.y.scale.ticks() {
            let y = y_at(*at);
            canvas.line((left, y), (right, y), "grid");
            canvas.text((left - 8.0, y + 0.35 * FONT), Anchor::End, "muted", label);
        }
        for (at, label) in self.x.scale.ticks() {
            let x = x_at(*at);
            canvas.line((x, bottom), (x, bottom + 5.0), "axis");
            canvas.text((x, bottom + 8.0 + FONT), Anchor::Middle, "muted", label);
        }
        canvas.line((left, bottom), (right, bottom), "axis");
        let middle = (left + right) / 2.0;
        canvas.text((middle, bottom + 44.0), Anchor::Middle, "muted", &self.x.title);

        for (index, series) in self.series.iter().enumerate() {
            let (area, line) = series_class(index);
            let points: Vec<_> = series.points.iter().map(|&(x, y)| (x_at(x), y_at(y))).collect();
            let line = if series.is_law { format!("{line} dashed") } else { line };
            canvas.polyline(&points, &line);
            if !series.is_law {
                points.iter().for_each(|&point| canvas.dot(point, &area));
            }
        }
        canvas.finish()
    }
}
