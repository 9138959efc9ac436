//! An SVG image under construction: shapes by class, whose colours follow the reader's scheme.

use std::fmt::Write;

/// Size of text, in pixels.
pub(super) const FONT: f64 = 13.0;
/// Size of a plot's title.
pub(super) const TITLE_FONT: f64 = 16.0;
/// Width of every plot.
pub(super) const WIDTH: f64 = 760.0;
/// Space that every plot leaves free at its edges.
pub(super) const MARGIN: f64 = 16.0;

/// Colours of series on a light and on a dark page; after the last comes the first again.
const SERIES: [(&str, &str); 8] = [
    ("#0969da", "#58a6ff"),
    ("#bc4c00", "#f0883e"),
    ("#1a7f37", "#3fb950"),
    ("#8250df", "#bc8cff"),
    ("#9a6700", "#e3b341"),
    ("#bf3989", "#f778ba"),
    ("#1b7c83", "#39c5cf"),
    ("#57606a", "#9198a1"),
];

/// Page, text, lesser text and grid.
const LIGHT: [&str; 4] = ["#ffffff", "#1f2328", "#59636e", "#d8dee4"];
const DARK: [&str; 4] = ["#0d1117", "#e6edf3", "#9198a1", "#30363d"];

/// Which point of a text its position names.
#[derive(Clone, Copy, Debug)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// An image; lengths are pixels from the upper left corner.
pub(super) struct Canvas {
    height: f64,
    title: String,
    body: String,
}

impl Canvas {
    /// An image with its title.
    pub(super) fn new(title: &str, height: f64) -> Self {
        let mut canvas = Self { height, title: escape(title), body: String::new() };
        canvas.text((MARGIN, MARGIN + TITLE_FONT), Anchor::Start, "title", title);
        canvas
    }

    /// A text whose baseline is at `y`; an empty one leaves nothing.
    pub(super) fn text(&mut self, (x, y): (f64, f64), anchor: Anchor, class: &str, text: &str) {
        if text.is_empty() {
            return;
        }
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let size = if class == "title" { TITLE_FONT } else { FONT };
        let text = escape(text);
        self.push(format_args!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" font-size=\"{size}\" \
             class=\"{class}\">{text}</text>"
        ));
    }

    /// A straight line.
    pub(super) fn line(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), class: &str) {
        self.push(format_args!(
            r#"<line x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" class="{class}"/>"#
        ));
    }

    /// A line through points.
    pub(super) fn polyline(&mut self, points: &[(f64, f64)], class: &str) {
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        self.push(format_args!(r#"<polyline points="{}" class="{class}"/>"#, points.join(" ")));
    }

    /// The mark of a point.
    pub(super) fn dot(&mut self, (x, y): (f64, f64), class: &str) {
        self.push(format_args!(r#"<circle cx="{x:.1}" cy="{y:.1}" r="3.5" class="{class}"/>"#));
    }

    /// A filled rectangle, which shows `tip` under the pointer.
    pub(super) fn rect(
        &mut self,
        (x, y): (f64, f64),
        (width, height): (f64, f64),
        class: &str,
        tip: &str,
    ) {
        let tip = escape(tip);
        self.push(format_args!(
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" \
             class=\"{class}\"><title>{tip}</title></rect>"
        ));
    }

    fn push(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing to a string succeeds.
        let _ = writeln!(self.body, "{element}");
    }

    /// The file's text.
    pub(super) fn finish(self) -> String {
        let Self { height, title, body } = self;
        let light = style(LIGHT, |(light, _)| light);
        let dark = style(DARK, |(_, dark)| dark);
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {WIDTH} {height}"
 width="{WIDTH}" height="{height}" font-family="system-ui, Helvetica, Arial, sans-serif">
<title>{title}</title>
<style>
.title {{ font-weight: 600 }}
.grid, .axis {{ stroke-width: 1 }}
.line {{ fill: none; stroke-width: 2; stroke-linejoin: round }}
.dashed {{ stroke-dasharray: 6 4 }}
{light}@media (prefers-color-scheme: dark) {{
{dark}}}
</style>
<rect width="{WIDTH}" height="{height}" class="page"/>
{body}</svg>
"#
        )
    }
}

/// The class of series `index`, for its areas and its lines.
pub(super) fn series_class(index: usize) -> (String, String) {
    let index = index % SERIES.len();
    (format!("area{index}"), format!("line stroke{index}"))
}

/// About how wide a text is, in the wider of usual sans-serif fonts.
pub(super) fn text_width(text: &str, size: f64) -> f64 {
    0.62 * size * text.chars().count() as f64
}

/// The rules that colour every class.
fn style(
    [page, text, muted, grid]: [&str; 4],
    series: fn((&'static str, &'static str)) -> &'static str,
) -> String {
    let mut rules = format!(
        ".page {{ fill: {page} }}\n.title, .label {{ fill: {text} }}\n.muted {{ fill: {muted} }}\n\
         .grid {{ stroke: {grid} }}\n.axis {{ stroke: {muted} }}\n"
    );
    for (i, colours) in SERIES.into_iter().enumerate() {
        let colour = series(colours);
        let _ = writeln!(rules, ".area{i} {{ fill: {colour} }}\n.stroke{i} {{ stroke: {colour} }}");
    }
    rules
}

/// Text in which nothing is markup.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
