"""The page that shows a run's metrics and pictures."""

from keras_vit.io.html_page import cards, document, duration, figure_section, recipe_section, section, table
from keras_vit.training.metrics import IMAGES, card_texts
from keras_vit.training.report.captions import PICTURES
from keras_vit.training.report.names import has_undrawable

MAX_OPEN = 20  # classes; a larger table starts folded


def render_page(model, data, metrics, history, recipe, pictures):
    """Returns the page as HTML; it refers to the pictures by their names, those in `PICTURES`."""
    first = [name for name in pictures if name in ("training_curves", "confusion_matrix")]
    rest = [name for name in pictures if name not in first]
    parts = [
        _headline(model, data, metrics, history),
        *(figure_section(name, *PICTURES[name]) for name in first),
        _per_class(metrics, data.label_names),
        *(figure_section(name, *PICTURES[name]) for name in rest),
        "" if "worst_mistakes" in pictures else "<p>No test image is misclassified.</p>",
        recipe_section(recipe),
    ]
    return document(f"{model.name} on {data.name}", parts)


def _headline(model, data, metrics, history):
    numbers = {**card_texts(IMAGES, metrics), "Parameters": f"{model.count_params():,}"}
    if history:
        numbers["Training time"] = duration(history["seconds"].sum())
        numbers["Epochs"] = f"{len(history['epoch'])}"
    return (
        f'{cards(numbers)}\n<p class="note">On {len(data.test.labels):,} test images, which took no part in '
        f"training ({len(data.train.labels):,} images) or in choosing the best epoch "
        f"({len(data.validation.labels):,} images).</p>"
    )


def _per_class(metrics, label_names):
    rows = [("Index", "Class", "Precision", "Recall", "F1", "Images")]
    for index, row in enumerate(metrics["per_class"]):
        rows.append((index, row["label"], *_ratios(row), f"{row['support']:,}"))
    support = sum(row["support"] for row in metrics["per_class"])
    rows.append(("", "Macro average", *_ratios(metrics["macro"]), f"{support:,}"))
    note = "The macro average is over the classes with test images; a ratio with nothing to divide by is 0."
    if has_undrawable(label_names):
        note += " In the pictures, names that their font lacks are replaced by their index."
    return section(
        "Classes",
        f"<details{' open' if len(label_names) <= MAX_OPEN else ''}>"
        f"<summary>All {len(label_names)} classes</summary>\n{table(rows, name_columns=(1,))}\n"
        f'</details>\n<p class="note">{note}</p>',
    )


def _ratios(row):
    return (f"{row[name]:.3f}" for name in ("precision", "recall", "f1"))
