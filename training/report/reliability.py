"""Draws how well a model's confidence matches its accuracy."""

from keras_vit.training.report.style import ORANGE, SKY, figure


def reliability_diagram(metrics):
    """Draws accuracy against confidence, and the share of predictions by confidence.

    Args:
        metrics: dict of `keras_vit.training.classification_metrics`.

    Reference: Guo et al. 2017, figure 1, https://arxiv.org/abs/1706.04599
    """
    canvas = figure(height=6)
    upper, lower = canvas.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    filled = [b for b in metrics["calibration_bins"] if b["count"]]
    total = sum(b["count"] for b in filled)
    places = {"x": [b["lower"] for b in filled], "width": [b["upper"] - b["lower"] for b in filled]}
    style = {"align": "edge", "color": SKY, "edgecolor": "white"}
    upper.bar(height=[b["accuracy"] for b in filled], **places, **style)
    upper.plot([0, 1], [0, 1], color="black", linestyle="--", label="perfect calibration")
    confidences = [b["confidence"] for b in filled]
    accuracies = [b["accuracy"] for b in filled]
    diamonds = {"color": ORANGE, "markeredgecolor": "white", "clip_on": False, "zorder": 3}
    upper.plot(confidences, accuracies, "D", label="mean of the bin", **diamonds)
    upper.set(ylabel="Accuracy", ylim=(0, 1.03), xlim=(0, 1))
    upper.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    lower.bar(height=[b["count"] / total for b in filled], **places, **style)
    lower.set(xlabel="Confidence", ylabel="Share of images", ylim=(0, 1.03))
    canvas.align_ylabels()
    return canvas
