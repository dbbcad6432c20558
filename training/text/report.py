"""Writes the report of a text run: pictures and one page that shows them."""

import math

import keras

from keras_vit.errors import counted
from keras_vit.io.html_page import document, figure_section, recipe_section, section, table
from keras_vit.io.json_files import read_json
from keras_vit.training.metrics import TEXT
from keras_vit.training.report.history import read_history, training_curves
from keras_vit.training.report.page import summary_cards
from keras_vit.training.report.write import write_report_folder
from keras_vit.training.run_folder import RunFolder
from keras_vit.training.text.corpus import TextData
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
        "Positions",
        "Cross-entropy by the position in a test line: the model improves on pairs of characters where more "
        "of the line precedes.",
        "Line chart of the cross-entropy by position in a line, for the model and a bigram model.",
    ),
    "following": (
        "Character pairs",
        "How often one character follows another, rows sum to 1: the samples of a model that has learned the "
        "text's regularities show the same pattern.",
        "Two heat maps of how often each character follows another, in the training text and in the samples.",
    ),
}


def write_report(
    folder: RunFolder, model: keras.Model, data: TextData, samples: list[str], metrics: dict, recipe: dict
) -> None:
    """Writes `report/*.png` and `report/index.html` in a run folder, all or nothing."""
    history = read_history(folder.history)
    log = read_json(folder.samples, list) if folder.samples.is_file() else []

    def page(pictures):
        parts = [
            _headline(model, data, metrics, history, recipe.get("epochs", 0)),
            _samples(samples, metrics, data),
            *(figure_section(name, *PICTURES[name]) for name in pictures),
            _log(log),
            _characters(metrics),
            recipe_section(recipe),
        ]
        return document(f"{model.name} on {data.name}", parts)

    write_report_folder(folder.report, _pictures(data, samples, metrics, history), page)


def _pictures(data, samples, metrics, history):
    if history:
        yield "training_curves", training_curves(history)
    if "per_position" in metrics:
        yield "positions", positions_picture(metrics["per_position"])
    yield "following", bigram_picture(samples, data.train, data.vocabulary)


def _headline(model, data, metrics, history, epochs):
    kind = "lines" if data.lines else "characters of running text"
    train, validation, test = (
        len(split) if data.lines else len(split[0]) for split in (data.train, data.validation, data.test)
    )
    return (
        f'{summary_cards(TEXT, model, metrics, history, epochs)}\n<p class="note">Per character of '
        f"{test:,} test {kind}, which took no part in training ({train:,}) or in choosing the best epoch "
        f"({validation:,})"
        f"{'; the end of a line counts as a character' if data.lines else ''}. The bigram model counts pairs "
        f"of the training split, plus one for each; guessing blindly gives "
        f"{math.log(len(data.vocabulary)):.4f} nats.</p>"
    )


def _samples(samples, metrics, data):
    if not data.lines:
        rows = [("Sample",), *((sample,) for sample in samples)]
        return section("Samples", table(rows, (0,)))
    known, novelty = set(data.train), metrics["novelty"]
    rows = [("Sample", "In the training list")]
    rows += [(sample, "yes" if sample in known else "no") for sample in samples[:SHOWN]]
    return section(
        "Samples",
        f"<p>Of {counted(novelty['num_samples'], 'sample')} at temperature 1, "
        f"{100 * novelty['novel_share']:.1f} % are not in the training list and "
        f"{100 * novelty['duplicate_share']:.1f} % repeat an earlier sample. The first {len(rows) - 1}:</p>\n"
        f"{table(rows, (0, 1))}",
    )


def _log(log):
    if not log:
        return ""
    rows = [("Step", "Samples"), *((f"{row['step']:,}", ", ".join(row["samples"])) for row in log)]
    return section("Samples during training", table(rows, (1,)))


def _characters(metrics):
    rows = [("Character", "Accuracy", "Nats", "Count")]
    for row in metrics["per_character"]:
        loss = f"{row['cross_entropy']:.3f}"
        rows.append((row["character"], f"{row['accuracy']:.3f}", loss, f"{row['count']:,}"))
    summary = f"All {counted(len(rows) - 1, 'character')} of the test split"
    return section("Characters", f"<details><summary>{summary}</summary>\n{table(rows, (0,))}\n</details>")
