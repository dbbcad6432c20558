"""Writes the report of a run on pairs of texts: curves, answers, and where the model looks."""

import html

import keras
import numpy as np

from keras_vit.errors import counted
from keras_vit.io.html_page import document, figure_section, recipe_section, section, table
from keras_vit.models import seq2seq_attention
from keras_vit.text.vocabulary import BOUNDARY
from keras_vit.training.metrics import PAIRS
from keras_vit.training.report.history import read_history, training_curves
from keras_vit.training.report.page import summary_cards
from keras_vit.training.report.write import write_report_folder
from keras_vit.training.run_folder import RunFolder
from keras_vit.training.text.pairs import PairData
from keras_vit.training.text.pictures import attention_picture
from keras_vit.training.text.report import PICTURES as TEXT_PICTURES

PICTURES = {  # name: title, caption, alternative text
    "training_curves": TEXT_PICTURES["training_curves"],
    "attention": (
        "Attention",
        "Where in the source the model looks while it writes each character of its answer; a row sums to 1.",
        "Heat map with a row for each character of an answer and a column for each of its source.",
    ),
}


def write_report(
    folder: RunFolder, model: keras.Model, data: PairData, metrics: dict, recipe: dict, place: list[str]
) -> None:
    """Writes `report/*.png` and `report/index.html` in a run folder, all or nothing."""
    history = read_history(folder.history)

    def page(pictures):
        parts = [
            _headline(model, data, metrics, history, recipe.get("epochs", 0)),
            *(f'<p class="note">{html.escape(line[0].upper() + line[1:])}.</p>' for line in place),
            *(figure_section(name, *PICTURES[name]) for name in pictures),
            _answers("Wrong answers", metrics["examples"]["wrong"]),
            _answers("Right answers", metrics["examples"]["right"]),
            recipe_section(recipe),
        ]
        return document(f"{model.name} on {data.name}", parts)

    write_report_folder(folder.report, _pictures(model, data, metrics, history), page)


def attention_matrix(model: keras.Model, data: PairData, source: str, answer: str) -> np.ndarray:
    """Returns where in a source a model looks for each character of an answer and its end.

    Its shape is `(len(answer) + 1, len(source))`, and each row sums to 1.
    """
    rows = [data.vocabulary.encode(text)[None] for text in (source, BOUNDARY + answer)]
    sizes = (data.max_source, data.max_target + 1)
    padded = [np.pad(row, ((0, 0), (0, size - row.shape[1]))) for row, size in zip(rows, sizes, strict=True)]
    shares = seq2seq_attention(model).predict_on_batch(padded)
    return np.asarray(shares, "float32")[0, : len(answer) + 1, : len(source)]


def _pictures(model, data, metrics, history):
    if history:
        yield "training_curves", training_curves(history)
    examples = metrics["examples"]
    shown = max(examples["right"] or examples["wrong"], key=lambda row: len(row["source"]))
    shares = attention_matrix(model, data, shown["source"], shown["answer"])
    yield "attention", attention_picture(shares, shown["source"], shown["answer"])


def _headline(model, data, metrics, history, epochs):
    return (
        f'{summary_cards(PAIRS, model, metrics, history, epochs)}\n<p class="note">On '
        f"{counted(len(data.test), 'test pair')}, which took no part in training "
        f"({counted(len(data.train), 'pair')}) or in choosing the best epoch "
        f"({counted(len(data.validation), 'pair')}); {html.escape(data.found[-1])}. Exact match is the share "
        "of sources whose target the model writes by itself without a fault; accuracy and cross-entropy are "
        "of the next character, given those before it.</p>"
    )


def _answers(title, examples):
    if not examples:
        return section(title, "<p>There are none.</p>")
    rows = [("Source", "Target", "Answer")]
    rows += [(row["source"], row["target"], row["answer"]) for row in examples]
    return section(title, f"<p>The first {len(examples)} of the test split:</p>\n{table(rows, (0, 1, 2))}")
