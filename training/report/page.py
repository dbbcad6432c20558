"""The page that shows a run's metrics and pictures."""

import html

from keras_vit.errors import counted
from keras_vit.io.html_page import cards, document, duration, figure_section, recipe_section
from keras_vit.training.metrics import card_texts
from keras_vit.training.report.kinds import KINDS

FIRST = ("training_curves", "confusion_matrix", "average_precision", "numbers")  # before the table
PICTURES = {  # name: title, caption, alternative text
    "training_curves": (
        "Training",
        "Loss, a metric and learning rate by epoch; training values are means over the epoch, "
        "with dropout and augmentation where the recipe has them.",
        "Line charts of loss, a metric and learning rate by epoch, for training and validation.",
    ),
    "confusion_matrix": (
        "Confusion",
        "Rows are the true classes and columns the predicted ones; correct predictions are on the diagonal.",
        "Confusion matrix of the test images, coloured by the share of each true class.",
    ),
    "calibration": (
        "Calibration",
        "Bars below the dashed line mean that the model is more confident than accurate; "
        "the lower chart shows the share of images predicted with that confidence.",
        "Reliability diagram: accuracy against confidence in 15 bins, and the share of images in each.",
    ),
    "calibrated": (
        "Calibration by the validation images",
        "The same after the model's outputs are divided by a temperature fitted on the validation images. "
        "Where these show a need, the temperature is lower for confident images. predict and exported files "
        "give these probabilities. A calibration error up to the one by chance says nothing: in 95 of 100 "
        "draws of so many images a perfectly calibrated model shows no more than that.",
        "Reliability diagram of the calibrated probabilities.",
    ),
    "average_precision": (
        "Precision of the labels",
        "Average precision of each label: the mean precision over all thresholds; 1 is perfect.",
        "Bar chart of the average precision of each label.",
    ),
    "numbers": (
        "Answers",
        "Each point is a test image; on the dashed line the answer is exact.",
        "Scatter plot of answers against the true numbers.",
    ),
    "worst_labels": (
        "Worst mistakes",
        "The test images with wrong labels, those with the highest cross-entropy first.",
        "Test images with wrong labels, with their true labels and those found.",
    ),
    "worst_numbers": (
        "Largest errors",
        "The test images with the largest errors, in units of each number's standard deviation.",
        "Test images with the true numbers and the answers.",
    ),
    "doubtful_labels": (
        "Likely wrong labels",
        "Test images whose label the model doubts: it is as sure of another one as it is on average of "
        "images that have that label. predictions.csv numbers those of the validation images too (doubt).",
        "Test images whose labels are likely wrong, with what the label may be.",
    ),
    "worst_mistakes": (
        "Worst mistakes",
        "The misclassified test images with the highest probability for the wrong class, highest first.",
        "Misclassified test images with their true class, predicted class and its probability.",
    ),
    "patches": (
        "Patches",
        "Each image and its grid of patches; the model computes one token from each.",
        "Test images, each next to its patches.",
    ),
    "position_similarity": (
        "Positions",
        "Each map belongs to one patch position and shows the similarity of its embedding to that of every "
        "position in the grid.",
        "Grid of maps of the cosine similarity between position embeddings.",
    ),
    "attention_rollout": (
        "Attention",
        "Where the information in the output comes from, estimated by attention rollout through all blocks; "
        "bright patches contribute most.",
        "Test images, each next to a heat map of attention rollout over it.",
    ),
    "attention_heads": (
        "Attention by head",
        "What each head of the last block attends to, from the tokens that the output is computed from; each "
        "map is relative to its own largest value.",
        "Test images, each next to one heat map for each attention head of the last block.",
    ),
    "patch_components": (
        "Features of the patches",
        "The first three principal components of the last block's features of all these patches, as red, "
        "green and blue: the model represents patches of one colour similarly.",
        "Test images, each next to a map of colours that stand for the features of its patches.",
    ),
}


def render_page(model, data, metrics, history, recipe, place, pictures):
    """Returns the page as HTML; it refers to the pictures by their names, those in `PICTURES`.

    `place` are lines that put the result in its place.
    """
    kind = KINDS[data.label_kind]
    first = [name for name in pictures if name in FIRST]
    rest = [name for name in pictures if name not in first]
    parts = [
        _headline(model, data, metrics, history, recipe.get("epochs", 0)),
        *(f'<p class="note">{html.escape(line[0].upper() + line[1:])}.</p>' for line in place),
        *(figure_section(name, *PICTURES[name]) for name in first),
        kind.table(metrics, data.label_names),
        *(figure_section(name, *PICTURES[name]) for name in rest),
        "" if any(name.startswith("worst_") for name in pictures) else f"<p>{kind.NO_MISTAKES}</p>",
        recipe_section(recipe),
    ]
    return document(f"{model.name} on {data.name}", parts)


def summary_cards(rows, model, metrics, history, epochs):
    """Returns the cards at the top of a page: the metrics, and what model and training cost.

    `epochs` is how many were planned: an interrupted training, or one that early stopping ended, has fewer.
    """
    numbers = {**card_texts(rows, metrics), "Parameters": f"{model.count_params():,}"}
    if history:
        numbers["Training time"] = duration(history["seconds"].sum())
        trained = len(history["epoch"])
        numbers["Epochs"] = f"{trained}" if trained >= epochs else f"{trained} of {epochs}"
    return cards(numbers)


def _headline(model, data, metrics, history, epochs):
    summary = summary_cards(KINDS[data.label_kind].METRICS, model, metrics, history, epochs)
    return (
        f'{summary}\n<p class="note">On '
        f"{counted(len(data.test.labels), 'test image')}, which took no part in training "
        f"({counted(len(data.train.labels), 'image')}) or in choosing the best epoch "
        f"({counted(len(data.validation.labels), 'image')}).</p>"
    )
