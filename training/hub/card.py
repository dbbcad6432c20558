"""The model card of a run: README.md with YAML that the hub reads."""

import re
from typing import Any

from keras_vit.errors import counted
from keras_vit.io import markdown
from keras_vit.io.figures import latency_words
from keras_vit.io.json_files import read_json
from keras_vit.io.label_names import read_label_names
from keras_vit.io.published import without_folders
from keras_vit.training.hub.usage import usage
from keras_vit.training.metrics import card_texts
from keras_vit.training.recipe_file import load_recipe
from keras_vit.training.run_folder import RunFolder
from keras_vit.training.summary import summary
from keras_vit.training.tasks import task_of

TAGS = ("keras-vit", "tflite", "litert", "mobile")
PIPELINES = {  # none for numbers
    "images": "image-classification",
    "text": "text-generation",
    "pairs": "text2text-generation",
}
METRICS = {  # of metrics.json: the hub's name
    "accuracy": "accuracy",
    "macro.f1": "f1",
    "mean_absolute_error": "mae",
    "perplexity": "perplexity",
    "exact_match": "exact_match",
}
COUNTS = ("num_items", "num_characters", "num_pairs")  # of the rows of export.json
SCORES = {"score": "", "cross_entropy": "nats", "exact_match": "exact match"}
MOST_LABELS = 100  # that are listed
PAGE = """\
---
{front}
---

# {name}

{summary}

{by}## Data

{data}

## Results on the test split

{results}

{place}## Files

`{model}` is the trained model. Each TFLite file was compared with it on items of the test split.
Latencies are those of the exporting machine's CPU with one thread; a phone's differ.

{files}

{usage}
## Recipe

`keras-vit train recipe.json --run-dir DIR` trains it again, with the data in place. Its own values:

```
{recipe}
```
"""


def model_card(
    folder: RunFolder,
    repository: str,
    rows: list[dict[str, Any]],
    model: dict[str, Any],
    *,
    name: str,
    author: str = "",
    license: str = "",
) -> str:
    """Returns the text of README.md.

    Args:
        folder: RunFolder of an evaluated run.
        repository: str, `owner/name` on the hub.
        rows, model: as `keras_vit.training.hub.exported.exported_files` returns them.
        name, author, license: str, the latter two may be empty; the licence by the hub's name for it.
    """
    recipe = load_recipe(folder.recipe)
    recipe = recipe.replace(data=without_folders(recipe.data))
    task = task_of(recipe).continuing(folder)
    metrics = read_json(folder.metrics, dict)
    place = [line for line in task.place(metrics) if not line.startswith("hint:")]
    return PAGE.format(
        front=_front(name, license, task, metrics),
        name=name,
        summary=summary(folder),
        by=f"By {author}.\n\n" if author else "",
        data=_data(folder, task, metrics),
        results=markdown.table(("metric", "value"), card_texts(task.metrics, metrics).items()),
        place="".join(f"{line[0].upper()}{line[1:]}.\n\n" for line in place),
        model=folder.model.name,
        files=_files(rows),
        usage=usage(repository, recipe, rows, model, task.kind),
        recipe=" ".join(f"{name}={value}" for name, value in without_folders(recipe.changed()).items()),
    )


def _front(name, license, task, metrics):
    from huggingface_hub import EvalResult, ModelCardData

    recipe = task.recipe
    found = [(row, METRICS[row.key], row.find(metrics)) for row in task.metrics if row.key in METRICS]
    found = [(row, known, value) for row, known, value in found if value is not None]
    is_numbers = any(known == "mae" for _, known, _ in found)
    pipeline = None if is_numbers else PIPELINES[task.kind]
    source, _, dataset = recipe.data.partition(":")
    results = [
        EvalResult(
            task_type=pipeline or "tabular-regression",
            dataset_type=dataset or source,
            dataset_name=recipe.data,
            dataset_split=metrics.get("split", "test"),
            metric_type=known,
            metric_name=row.label,
            metric_value=round(float(value), 6),
        )
        for row, known, value in found
    ]
    return ModelCardData(
        license=license or None,
        library_name="keras",
        pipeline_tag=pipeline,
        tags=[*TAGS, *filter(re.compile(r"[\w-]+").fullmatch, [recipe.model])],
        datasets=[dataset] if source == "hf" else None,
        metrics=[known for _, known, _ in found],
        model_name=name,
        eval_results=results,
    ).to_yaml()


def _data(folder, task, metrics):
    (key, word), data = task.tested, without_folders(metrics["data"])
    lines = [f"`{data}`, {metrics[key]:,} {word} in the {metrics.get('split', 'test')} split."]
    if folder.labels.is_file():
        names = read_label_names(folder.labels)
        rest = f" and {len(names) - MOST_LABELS:,} more" if len(names) > MOST_LABELS else ""
        shown = ", ".join(f"`{name}`" for name in names[:MOST_LABELS])
        lines.append(f"{counted(len(names), 'label')}: {shown}{rest}.")
    return "\n\n".join(lines)


def _files(rows):
    def figures(row):
        count = next((row[key] for key in COUNTS if key in row), None)
        score, metric = next(((row[key], word) for key, word in SCORES.items() if key in row), (None, ""))
        return (
            f"`export/{row['file']}`",
            f"{row['size'] / 1e6:.2f} MB",
            latency_words(row["latency_ms"]),
            "-" if row.get("agreement") is None else f"{100 * row['agreement']:.2f} %",
            "-" if score is None else f"{row.get('metric', metric)} {score:.4f}",
            "-" if count is None else f"{count:,}",
        )

    heading = ("file", "size", "latency", "same answer as the model", "score", "items")
    return markdown.table(heading, map(figures, rows))
