//! Plots are XML whose texts lie within the image and apart from each other.

use roxmltree::{Document, Node};

use super::{Axis, BarPlot, LinePlot, Reference, Row, Scale, Series};

/// Left, right, top and bottom of a text, with characters 0.62 of their height wide.
fn bounds(text: Node<'_, '_>) -> [f64; 4] {
    let number = |name: &str| -> f64 { text.attribute(name).unwrap().parse().unwrap() };
    let (x, y, size) = (number("x"), number("y"), number("font-size"));
    let width = 0.62 * size * text.text().unwrap().chars().count() as f64;
    let left = match text.attribute("text-anchor").unwrap() {
        "start" => x,
        "middle" => x - width / 2.0,
        _ => x - width,
    };
    [left, left + width, y - 0.75 * size, y + 0.2 * size]
}

/// Checks a plot; its texts.
pub(crate) fn texts(svg: &str) -> Vec<String> {
    let document = Document::parse(svg).unwrap();
    let root = document.root_element();
    let size = |name| -> f64 { root.attribute(name).unwrap().parse().unwrap() };
    let (width, height) = (size("width"), size("height"));
    let texts: Vec<_> = root.descendants().filter(|node| node.has_tag_name("text")).collect();
    for (i, text) in texts.iter().enumerate() {
        let [left, right, top, bottom] = bounds(*text);
        let said = text.text().unwrap();
        assert!(left >= 0.0 && right <= width && top >= 0.0 && bottom <= height, "{said}");
        for other in &texts[..i] {
            let [l, r, t, b] = bounds(*other);
            let apart = right <= l || r <= left || bottom <= t || b <= top;
            assert!(apart, "{said} over {}", other.text().unwrap());
        }
    }
    for number in root.descendants().flat_map(|node| node.attributes()).map(|a| a.value()) {
        assert!(!number.contains("NaN") && !number.contains("inf"), "{number}");
    }
    texts.iter().map(|text| text.text().unwrap().to_owned()).collect()
}

fn label(value: f64) -> String {
    format!("{value}")
}

#[test]
fn lines_have_axes_and_a_legend() {
    let at = [512.0, 768.0, 1024.0, 1536.0, 2048.0];
    let points = at.iter().map(|&x| (x, 0.3 * x)).collect();
    let plot = LinePlot {
        title: "a < b & \"c\"".into(),
        x: Axis { title: "width".into(), scale: Scale::at(&at, label) },
        y: Axis { title: "ns".into(), scale: Scale::from_zero(614.0, label) },
        series: vec![Series::measured("measured", points), Series::law("a law", Vec::new())],
    };
    let svg = plot.svg();
    let texts = texts(&svg);
    for text in ["a < b & \"c\"", "width", "ns", "measured", "a law", "0", "700", "1536"] {
        assert!(texts.iter().any(|t| t == text), "{text} in {texts:?}");
    }
    assert_eq!(svg.matches("<circle").count(), at.len());
}

#[test]
fn bars_have_labels_notes_and_a_reference() {
    let row = |label: &str, values: [f64; 2]| Row {
        label: label.into(),
        values: values.to_vec(),
        note: format!("{} ms", values[0] + values[1]),
    };
    let plot = BarPlot {
        title: "phases".into(),
        axis: "time".into(),
        scale: Scale::from_zero(30.0, label),
        parts: vec!["run".into(), "prove".into()],
        rows: vec![row("small", [1.0, 2.0]), row("with a long name", [10.0, 20.0])],
        reference: Some(Reference { at: 25.0, label: "target".into() }),
    };
    let svg = plot.svg();
    let texts = texts(&svg);
    for text in ["run", "prove", "small", "with a long name", "3 ms", "30 ms", "target", "time"] {
        assert!(texts.iter().any(|t| t == text), "{text} in {texts:?}");
    }
    // The page, two samples and four parts.
    assert_eq!(svg.matches("<rect").count(), 7);
}

#[test]
fn a_long_legend_takes_several_lines() {
    let parts: Vec<String> = (0..12).map(|i| format!("a phase of number {i}")).collect();
    let plot = BarPlot {
        title: "many".into(),
        axis: "share".into(),
        scale: Scale::from_zero(12.0, label),
        rows: vec![Row { label: "all".into(), values: vec![1.0; 12], note: String::new() }],
        parts,
        reference: None,
    };
    assert!(texts(&plot.svg()).len() > 12);
}

#[test]
fn scales_are_round_and_keep_order() {
    let zero = Scale::from_zero(614.0, label);
    assert_eq!((zero.position(0.0), zero.position(700.0)), (0.0, 1.0));
    let log = Scale::logarithmic([0.3, 30.0, f64::NAN, 0.0], label);
    let ticks: Vec<f64> = log.ticks().iter().map(|tick| tick.0).collect();
    assert_eq!(ticks, [0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0]);
    assert!(log.position(1.0) < log.position(1.1) && log.position(1e9) == 1.0);
    let wide = Scale::logarithmic([1.0, 1e6], label);
    assert_eq!(wide.ticks().len(), 7);
    for empty in
        [Scale::from_zero(0.0, label), Scale::logarithmic([], label), Scale::at(&[], label)]
    {
        assert!(empty.position(1.0).is_finite());
    }
}
