"""Writes the report of a run on text: pictures and one page that shows them."""

import math

from keras_vit.io.files import atomic_path
from keras_vit.io.json_files import read_json
from keras_vit.training.recipe import IMAGE_FIELDS
from keras_vit.training.report.document import (
    cards,
    document,
    duration,
    figure_section,
    recipe_section,
    table,
)
from keras_vit.training.report.history import read_history, training_curves
from keras_vit.training.report.style import drawing, save
from keras_vit.training.text.pictures import bigram_picture, positions_picture

SHOWN = 40  # samples on the page
PICTURES = {  # name: title, caption, alternative text
    "training_curves": (
        "Training",
        "Loss in nats per character, accuracy and learning rate by epoch; training values are means over the "
        "epoch, with dropout where the recipe has it.",
        "Line charts of loss, accuracy and learning rate by epoch, for training and validation.",
    ),
    "positions": (
        "Places",
        "Cross-entropy by the place in a test line: what the model gains over pairs of characters it gains "
        "where more of the line is there to be read.",
        "Line chart of the cross-entropy by place in a line, for the model and a bigram model.",
    ),
    "following": (
        "What follows what",
        "How often one character follows another, rows sum to 1: a model that has learnt the text's habits "
        "shows the same pattern in its samples.",
        "Two heat maps of which character follows which, of the training text and of the samples.",
    ),
}


def write_report(folder, model, data, samples, metrics, recipe):
    """Writes `report/*.png` and `report/index.html` in a run folder, all or nothing.

    Args:
        folder: RunFolder.
        model: the trained `keras.Model`.
        data: TextData.
        samples: list of str, drawn from the model.
        metrics: dict, what `metrics.json` holds.
        recipe: dict of the recipe's fields.

    Raises:
        InputError: the run's history is no history, or the folder cannot be written.
    """
    history = read_history(folder.history)
    log = read_json(folder.samples, list) if folder.samples.is_file() else []
    with atomic_path(folder.report, mark="index.html") as place:
        place.mkdir()
        names = []
        with drawing():
            for name, canvas in _pictures(data, samples, metrics, history):
                save(canvas, place / f"{name}.png")
                names.append(name)
        parts = [
            _headline(model, data, metrics, history),
            _samples(samples, metrics, data),
            *(figure_section(name, *PICTURES[name]) for name in names),
            _log(log),
            _characters(metrics),
            recipe_section({f: value for f, value in recipe.items() if f not in IMAGE_FIELDS}),
        ]
        page = document(f"{model.name} on {data.name}", parts)
        (place / "index.html").write_text(page, encoding="utf-8")


def _pictures(data, samples, metrics, history):
    if history:
        yield "training_curves", training_curves(history)
    if "per_position" in metrics:
        yield "positions", positions_picture(metrics["per_position"])
    yield "following", bigram_picture(samples, data.train, data.vocabulary)


def _headline(model, data, metrics, history):
    bigram = metrics["bigram"]
    numbers = {
        "Cross-entropy": f"{metrics['cross_entropy']:.4f} nats",
        "Bits per character": f"{metrics['bits_per_character']:.4f}",
        "Perplexity": f"{metrics['perplexity']:.3f}",
        "Next character right": f"{100 * metrics['accuracy']:.2f} %",
        "Bigram model": f"{bigram['cross_entropy']:.4f} nats",
        "Parameters": f"{model.count_params():,}",
    }
    if "novelty" in metrics:
        numbers["New samples"] = f"{100 * metrics['novelty']['novel_share']:.1f} %"
    if history:
        numbers["Training time"] = duration(history["seconds"].sum())
        numbers["Epochs"] = f"{len(history['epoch'])}"
    kind = "lines" if data.lines else "characters of running text"
    train, validation, test = (
        len(split) if data.lines else len(split[0]) for split in (data.train, data.validation, data.test)
    )
    return (
        f'{cards(numbers)}\n<p class="note">Per character of {test:,} test {kind}, which took no part in '
        f"training ({train:,}) or in choosing the best epoch ({validation:,})"
        f"{'; the end of a line counts as a character' if data.lines else ''}. The bigram model counts pairs "
        f"of the training split, plus one for each; guessing blindly gives "
        f"{math.log(len(data.vocabulary)):.4f} nats.</p>"
    )


def _samples(samples, metrics, data):
    if not data.lines:
        rows = [("Sample",), *((sample,) for sample in samples)]
        return f"<section>\n<h2>Samples</h2>\n{table(rows, (0,))}\n</section>"
    known, figures = set(data.train), metrics["novelty"]
    rows = [("Sample", "In the training list")]
    rows += [(sample, "yes" if sample in known else "no") for sample in samples[:SHOWN]]
    return (
        f"<section>\n<h2>Samples</h2>\n<p>Of {figures['num_samples']:,} samples at temperature 1, "
        f"{100 * figures['novel_share']:.1f} % are not in the training list and "
        f"{100 * figures['duplicate_share']:.1f} % repeat an earlier sample. The first {len(rows) - 1}:</p>\n"
        f"{table(rows, (0, 1))}\n</section>"
    )


def _log(log):
    if not log:
        return ""
    rows = [("Step", "Samples"), *((f"{row['step']:,}", ", ".join(row["samples"])) for row in log)]
    return f"<section>\n<h2>Samples while it learnt</h2>\n{table(rows, (1,))}\n</section>"


def _characters(metrics):
    rows = [("Character", "Right", "Nats", "Count")]
    for row in metrics["per_character"]:
        loss = f"{row['cross_entropy']:.3f}"
        rows.append((row["character"], f"{row['accuracy']:.3f}", loss, f"{row['count']:,}"))
    return (
        f"<section>\n<h2>Characters</h2>\n<details><summary>All {len(rows) - 1} characters of the test split"
        f"</summary>\n{table(rows, (0,))}\n</details>\n</section>"
    )
