//! The demonstration as a page.

use std::fmt::Write;
use std::path::Path;

use super::scene::{Picture, Scene};
use super::story::{CAVEAT, introduction, paragraphs};

const STYLE: &str = "body{font:16px/1.5 sans-serif;max-width:46em;margin:2em auto;padding:0 1em}\
     figure{display:inline-block;margin:.3em;text-align:center}figcaption.wrong{color:#b00}\
     svg{width:64px;height:64px;background:#000}pre{overflow:auto;background:#eee;padding:.5em}";

/// The page, to be written to `path`.
pub(super) fn html(scene: &Scene, path: &Path) -> String {
    let mut page = String::new();
    let heading =
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>binfer</title>";
    page.push_str(heading);
    page.push_str(&format!("<style>{STYLE}</style>\n<h1>binfer</h1>\n"));
    for paragraph in introduction(scene).trim_end().split("\n\n") {
        page.push_str(&format!("<p>{}</p>\n", escape(paragraph)));
    }
    for picture in scene.pictures(scene.batch) {
        page.push_str(&figure(&picture));
    }
    for (title, paragraph) in paragraphs(scene) {
        page.push_str(&format!("<p><b>{title}</b>: {}</p>\n", escape(&paragraph)));
    }
    page.push_str("<p>Attempts to cheat, each made and shown to the verifier:</p>\n<ul>\n");
    for forgery in &scene.forgeries {
        let answer = escape(&forgery.answer.to_string());
        page.push_str(&format!("<li>{}: <b>rejected</b>, {answer}</li>\n", escape(&forgery.what)));
    }
    page.push_str(&format!(
        "</ul>\n<p>{}</p>\n<p>Verify again:</p>\n<pre>{}</pre>\n</html>\n",
        escape(CAVEAT),
        escape(&command(path))
    ));
    page
}

/// The command that verifies the files beside the page at `path`.
pub(super) fn command(path: &Path) -> String {
    let beside = |extension: &str| path.with_extension(extension).display().to_string();
    format!(
        "binfer verify --commitment {} --input {} \\\n  --output {} --proof {}",
        beside("commitment"),
        beside("input.npy"),
        beside("output.npy"),
        beside("proof")
    )
}

fn figure(picture: &Picture<'_>) -> String {
    let mut svg = String::from("<figure><svg viewBox=\"0 0 8 8\">");
    for (at, &pixel) in picture.pixels.iter().enumerate() {
        let (x, y, grey) = (at % 8, at / 8, (pixel / 16.0 * 255.0) as u8);
        if grey > 0 {
            // Writing to a string does not fail.
            let _ = write!(
                svg,
                "<rect x=\"{x}\" y=\"{y}\" width=\"1\" height=\"1\" fill=\"#{grey:02x}{grey:02x}{grey:02x}\"/>"
            );
        }
    }
    let class = if picture.read == picture.label { "right" } else { "wrong" };
    format!("{svg}</svg><figcaption class=\"{class}\">{}</figcaption></figure>\n", picture.read)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
