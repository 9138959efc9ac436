//! What the demonstration says, in words for newcomers.

use super::scene::Scene;
use crate::progress::human;

/// What it is about, up to the images.
pub(super) fn introduction(scene: &Scene) -> String {
    let (right, all) = (scene.right, scene.held_out());
    let percent = 100.0 * right as f64 / all as f64;
    format!(
        "binfer proves that a neural network with committed weights maps an input to an output.\n\
         \n\
         The network reads handwritten digits: a {} of {} weights of 8 bits.\n\
         It was trained on other images than the {all} here, of which it reads {right} rightly\n\
         ({percent:.1}%). The first images of the batch, and what it reads in them:\n",
        scene.network(),
        scene.weights()
    )
}

/// The steps, each a title and a text.
pub(super) fn paragraphs(scene: &Scene) -> Vec<(&'static str, String)> {
    let ratio = scene.prove.as_secs_f64() / scene.native.as_secs_f64();
    vec![
        (
            "Commit",
            format!(
                "{} bytes in {}. From now on the weights cannot be changed; they stay with the prover.",
                scene.commitment.to_bytes().len(),
                human(scene.commit)
            ),
        ),
        (
            "Prove",
            format!(
                "a batch of {} images, {} of them read rightly: {} bytes in {}. Running the network \
                 takes {}; proving costs {ratio:.0} times that.",
                scene.batch,
                scene.right_in_batch,
                scene.proof.len(),
                human(scene.prove),
                human(scene.native)
            ),
        ),
        (
            "Verify",
            format!(
                "accepted in {}, without the weights. Security: {:.1} bits, so a false claim passes with \
                 a chance of at most 1 in 2^{:.0}.",
                human(scene.verify),
                scene.soundness_bits,
                scene.soundness_bits.floor()
            ),
        ),
    ]
}

/// What a proof is not.
pub(super) const CAVEAT: &str = "The proof is succinct, not zero-knowledge: the weights are not sent, \
     but a proof may tell something about them.";

/// The steps as text.
pub(super) fn steps(scene: &Scene) -> String {
    let mut text = String::new();
    for (title, paragraph) in paragraphs(scene) {
        text.push_str(&wrap(&format!("{title}: {paragraph}")));
    }
    text.push_str("\nAttempts to cheat, each made and shown to the verifier:\n");
    for forgery in &scene.forgeries {
        let (what, answer) = (&forgery.what, &forgery.answer);
        text.push_str(&format!("  {what}\n    rejected: {answer}\n"));
    }
    text.push('\n');
    text.push_str(&wrap(CAVEAT));
    text
}

/// Lines of at most 88 characters.
pub(super) fn wrap(text: &str) -> String {
    let (mut lines, mut width) = (String::new(), 0);
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if width > 0 && width + 1 + length > 88 {
            lines.push('\n');
            width = 0;
        } else if width > 0 {
            lines.push(' ');
            width += 1;
        }
        lines.push_str(word);
        width += length;
    }
    lines.push('\n');
    lines
}
