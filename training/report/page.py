"""The page that shows a run's figures and pictures."""

from html import escape

from training.report.captions import PICTURES
from training.report.names import clean, has_undrawable

MAX_OPEN = 20  # classes, up to which their table is unfolded

STYLE = """
body { max-width: 44rem; margin: 0 auto; padding: 1rem; background: #fff; color: #1a1a1a;
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.2; margin: 0.5rem 0; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 0.5rem; border-bottom: 1px solid #ddd; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); gap: 0.5rem; }
dl div { background: #f2f5f8; border-radius: 0.4rem; padding: 0.5rem 0.75rem; }
dt { font-size: 0.85rem; color: #444; }
dd { font-size: 1.15rem; font-weight: 600; margin: 0; }
figure { margin: 0; }
img { display: block; width: 100%; height: auto; }
figcaption, .note { font-size: 0.9rem; color: #444; }
summary { cursor: pointer; padding: 0.3rem 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.25rem 0.4rem; border-bottom: 1px solid #e3e3e3; text-align: right; white-space: nowrap; }
th { font-weight: 600; }
td.name, th.name { text-align: left; min-width: 4.5rem; max-width: 16rem; white-space: normal; }
"""


def render_page(model, data, metrics, history, recipe, pictures):
    """Returns the page as HTML, with everything in it but the pictures.

    Args:
        model: the trained `keras.Model`.
        data: ImageData.
        metrics: dict of `training.evaluate.evaluate`.
        history: dict of `read_history`.
        recipe: dict of the recipe's fields.
        pictures: names of the pictures beside the page, of those in `training.report.captions`.
    """
    title = f"{_text(model.name)} on {_text(data.name)}"
    before = [name for name in pictures if name in ("training_curves", "confusion_matrix")]
    after = [name for name in pictures if name not in before]
    parts = [
        f"<h1>{title}</h1>",
        _headline(model, data, metrics, history),
        *map(_figure, before),
        _per_class(metrics, data.label_names),
        *map(_figure, after),
        "" if "worst_mistakes" in pictures else "<p>No test image is misclassified.</p>",
        _recipe(recipe),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(filter(None, parts))
        + "\n</body>\n</html>\n"
    )


def duration(seconds):
    """Returns a duration in words, such as `"3 min 20 s"`."""
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"


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
    cards = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in numbers.items())
    return (
        f'<dl>{cards}</dl>\n<p class="note">On {len(data.test.labels):,} test images, which took no part in '
        f"training ({len(data.train.labels):,} images) or in choosing the best epoch "
        f"({len(data.validation.labels):,} images).</p>"
    )


def _figure(name):
    title, caption, alternative = PICTURES[name]
    return (
        f'<section>\n<h2>{title}</h2>\n<figure>\n<a href="{name}.png">'
        f'<img src="{name}.png" alt="{alternative}"></a>\n<figcaption>{caption}</figcaption>\n'
        "</figure>\n</section>"
    )


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
        f"<summary>All {len(label_names)} classes</summary>\n{_table(rows, name_columns=(1,))}\n"
        f'</details>\n<p class="note">{note}</p>\n</section>'
    )


def _ratios(row):
    return (f"{row[name]:.3f}" for name in ("precision", "recall", "f1"))


def _recipe(recipe):
    rows = [(field, "default" if value is None else value) for field, value in recipe.items()]
    return f"<section>\n<h2>Recipe</h2>\n{_table([('Field', 'Value'), *rows], (0, 1))}\n</section>"


def _table(rows, name_columns):
    """Returns a table of which the first row is the head, and some columns hold words."""
    lines = []
    for tag, row in zip(["th"] + ["td"] * len(rows), rows, strict=False):
        kinds = [' class="name"' if column in name_columns else "" for column in range(len(row))]
        cells = (f"<{tag}{kind}>{_text(cell)}</{tag}>" for kind, cell in zip(kinds, row, strict=True))
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return '<div class="scroll"><table>\n' + "\n".join(lines) + "\n</table></div>"


def _text(value):
    return escape(clean(value))
