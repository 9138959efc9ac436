//! The documentation agrees with the code: links lead somewhere, every soundness term has its place.

use std::fs;
use std::path::{Path, PathBuf};

use binfer_benches::Task;
use binfer_ml_ops::graph::Model;
use binfer_ml_ops::{ProverKey, estimate};
use binfer_pcs::Params;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The pages of the book and of the repository's top level.
fn pages() -> Vec<PathBuf> {
    let folders = [".", "docs", "docs/paper", "docs/protocols", "docs/decisions"];
    let entries =
        folders.iter().flat_map(|folder| fs::read_dir(root().join(folder)).expect("a folder"));
    let mut pages: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    pages.retain(|path| path.extension().is_some_and(|e| e == "md"));
    assert!(pages.len() > 15);
    pages
}

/// The parts of `text` between `open` and `close`.
fn between<'a>(text: &'a str, open: &'a str, close: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(open)
        .skip(1)
        .filter_map(move |rest| rest.split_once(close).map(|(inside, _)| inside))
}

#[test]
fn links_lead_to_files() {
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        let folder = page.parent().unwrap();
        for link in between(&text, "](", ")") {
            let file = link.split('#').next().unwrap_or_default();
            let elsewhere = file.is_empty() || file.contains("://");
            assert!(elsewhere || folder.join(file).exists(), "{}: {link}", page.display());
        }
    }
}

#[test]
fn paths_of_source_files_exist() {
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for path in text.split('`').filter(|code| code.contains("/src/")) {
            let plain = !path.contains(char::is_whitespace);
            assert!(!plain || root().join(path).exists(), "{}: {path}", page.display());
        }
    }
}

#[test]
fn every_page_is_in_the_summary() {
    let summary = fs::read_to_string(root().join("docs/SUMMARY.md")).unwrap();
    for page in pages() {
        let relative = page.strip_prefix(root().join("docs")).ok();
        let Some(name) = relative.and_then(Path::to_str) else {
            continue;
        };
        assert!(name == "SUMMARY.md" || summary.contains(&format!("({name})")), "{name}");
    }
}

#[test]
fn every_soundness_term_is_on_its_page() {
    let page = fs::read_to_string(root().join("docs/protocols/soundness.md")).unwrap();
    let digits = fs::read(root().join("models/digits/digits.onnx")).unwrap();
    let models = [
        Model::from_onnx(&digits).unwrap(),
        Task::matmul(3, 20, 30).model,
        Task::perceptron(1, &[20, 10, 1]).model,
        Task::requantized(3, 20, 30).model,
    ];
    for model in models {
        let key = ProverKey::new(model, Params::default(), &[1; 32]);
        let estimate = estimate(key.commitment(), 3);
        assert!(estimate.soundness_bits >= 100.0);
        for term in estimate.terms {
            let label = format!("`{}`", term.label);
            assert!(page.contains(&label), "{label} is not on the page");
        }
    }
}
