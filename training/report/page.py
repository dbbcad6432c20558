"""The page that shows a run's figures and pictures."""

from keras_vit.training.report.captions import PICTURES
from keras_vit.training.report.document import (
    cards,
    document,
    duration,
    figure_section,
    recipe_section,
    table,
)
from keras_vit.training.report.names import has_undrawable

MAX_OPEN = 20  # classes, up to which their table is unfolded


def render_page(model, data, metrics, history, recipe, pictures):
    """Returns the page as HTML, with everything in it but the pictures.

    Args:
        model: the trained `keras.Model`.
        data: ImageData.
        metrics: dict of `keras_vit.training.evaluate.evaluate`.
        history: dict of `read_history`.
        recipe: dict of the recipe's fields.
        pictures: names of the pictures beside the page, of those in `keras_vit.training.report.captions`.
    """
    before = [name for name in pictures if name in ("training_curves", "confusion_matrix")]
    after = [name for name in pictures if name not in before]
    parts = [
        _headline(model, data, metrics, history),
        *map(_figure, before),
        _per_class(metrics, data.label_names),
        *map(_figure, after),
        "" if "worst_mistakes" in pictures else "<p>No test image is misclassified.</p>",
        recipe_section(recipe),
    ]
    return document(f"{model.name} on {data.name}", parts)


def _headline(model, data, metrics, history):
    numbers = {"Test accuracy": f"{100 * metrics['accuracy']:.2f} %"}
    if "top5_accuracy" in metrics:
        numbers["Top-5 accuracy"] = f"{100 * metrics['top5_accuracy']:.2f} %"
    numbers["Macro F1"] = f"{metrics['macro']['f1']:.4f}"
    numbers["Cross-entropy"] = f"{metrics['cross_entropy']:.4f} nats"
    numbers["Calibration error"] = f"{metrics['expected_calibration_error']:.4f}"
    numbers["Parameters"] = f"{model.count_params():,}"
    if history:
        numbers["Training time"] = duration(history["seconds"].sum())
        numbers["Epochs"] = f"{len(history['epoch'])}"
    return (
        f'{cards(numbers)}\n<p class="note">On {len(data.test.labels):,} test images, which took no part in '
        f"training ({len(data.train.labels):,} images) or in choosing the best epoch "
        f"({len(data.validation.labels):,} images).</p>"
    )


def _figure(name):
    return figure_section(name, *PICTURES[name])


def _per_class(metrics, label_names):
    rows = [("Index", "Class", "Precision", "Recall", "F1", "Images")]
    for index, row in enumerate(metrics["per_class"]):
        rows.append((index, row["label"], *_ratios(row), f"{row['support']:,}"))
    support = sum(row["support"] for row in metrics["per_class"])
    rows.append(("", "Macro average", *_ratios(metrics["macro"]), f"{support:,}"))
    note = "The macro average is over the classes with test images; a ratio with nothing to divide by is 0."
    if has_undrawable(label_names):
        note += " Names that the pictures' font lacks appear there by their index."
    return (
        f"<section>\n<h2>Classes</h2>\n<details{' open' if len(label_names) <= MAX_OPEN else ''}>"
        f"<summary>All {len(label_names)} classes</summary>\n{table(rows, name_columns=(1,))}\n"
        f'</details>\n<p class="note">{note}</p>\n</section>'
    )


def _ratios(row):
    return (f"{row[name]:.3f}" for name in ("precision", "recall", "f1"))
