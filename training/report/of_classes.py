"""The report on images with one class each, and what such a module has for its kind of labels (`kinds`).

- `METRICS`, which the cards show; `CURVE`, the metric that is drawn by epoch; `LOSS`, the loss in words;
- `pictures(data, answers, metrics)`, pairs of a name, of `page.PICTURES`, and a figure;
- `table(metrics, label_names)`, a section of HTML;
- `texts(labels, answers, label_names, metrics)`, for each image the true label and the answer as words;
- `NO_MISTAKES`, what the page says where nothing is wrong.
"""

from keras_vit.io.html_page import section
from keras_vit.io.html_page import table as table_of
from keras_vit.training.balance import ACCURACY
from keras_vit.training.label_issues import likely_wrong
from keras_vit.training.metrics import IMAGES as METRICS
from keras_vit.training.report.names import has_undrawable, picture_names
from keras_vit.training.report.predictions import (
    calibration_pictures,
    confusion_picture,
    mistakes_picture,
    percent,
    worst_mistakes,
)

CURVE, LOSS = ACCURACY, "Loss (nats)"
NO_MISTAKES = "No test image is misclassified."
DOUBTFUL = 8  # images that are shown
MAX_OPEN = 20  # classes; a larger table starts folded

__all__ = ["CURVE", "LOSS", "METRICS", "NO_MISTAKES", "pictures", "table", "texts"]


def pictures(data, answers, metrics):
    labels = classes(data.test.labels)
    yield "confusion_matrix", confusion_picture(metrics["confusion_matrix"], data.label_names)
    yield from calibration_pictures(metrics)
    wrong = worst_mistakes(answers, labels)
    if len(wrong):
        shown = texts(labels[wrong], answers[wrong], data.label_names, metrics)
        lines = [
            (f"true: {true}", f"predicted: {predicted}", percent(row.max()))
            for (true, predicted), row in zip(shown, answers[wrong], strict=True)
        ]
        yield "worst_mistakes", mistakes_picture(data.test, wrong, lines)
    yield from doubtful_pictures(data, answers, metrics, texts)


def doubtful_pictures(data, answers, metrics, texts):
    """Yields the picture of the test images whose labels are likely wrong, if there are any."""
    doubtful = likely_wrong(data.test.labels, answers, data.label_kind)[:DOUBTFUL]
    if len(doubtful):
        shown = texts(data.test.labels[doubtful], answers[doubtful], data.label_names, metrics)
        lines = [(f"label: {label}", f"perhaps: {answer}") for label, answer in shown]
        yield "doubtful_labels", mistakes_picture(data.test, doubtful, lines)


def texts(labels, answers, label_names, metrics):
    names = picture_names(label_names)
    pairs = zip(classes(labels).tolist(), answers.argmax(axis=1).tolist(), strict=True)
    return [(names[label], names[answer]) for label, answer in pairs]


def table(metrics, label_names):
    rows = [("Index", "Class", "Precision", "Recall", "F1", "Images")]
    for index, row in enumerate(metrics["per_class"]):
        rows.append((index, row["label"], *_ratios(row), f"{row['support']:,}"))
    support = sum(row["support"] for row in metrics["per_class"])
    rows.append(("", "Macro average", *_ratios(metrics["macro"]), f"{support:,}"))
    note = "The macro average is over the classes with test images; a ratio with nothing to divide by is 0."
    return folded("Classes", f"All {len(label_names)} classes", rows, note, label_names)


def folded(title, summary, rows, note, label_names):
    """Returns a section with a table that can be folded, and is where it is long."""
    if has_undrawable(label_names):
        note += " In the pictures, names that their font lacks are replaced by their index."
    is_open = " open" if len(label_names) <= MAX_OPEN else ""
    return section(
        title,
        f"<details{is_open}><summary>{summary}</summary>\n{table_of(rows, name_columns=(1,))}\n"
        f'</details>\n<p class="note">{note}</p>',
    )


def classes(labels):
    """Returns the class of each image; of shares of classes the largest."""
    return labels if labels.ndim == 1 else labels.argmax(axis=1)


def _ratios(row):
    return (f"{row[name]:.3f}" for name in ("precision", "recall", "f1"))
