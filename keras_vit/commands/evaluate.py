"""Tests a run's model on data that it never saw."""

from keras_vit.commands.arguments import add_data_dir, add_run
from keras_vit.commands.quiet import quiet_import

EXAMPLE = "keras-vit evaluate runs/digits"


def add_arguments(parser):
    add_run(parser)
    add_data_dir(parser)


def run(options):
    with quiet_import():
        from keras_vit.training.run import evaluate_run
    print_metrics(evaluate_run(options.run_folder, data_dir=options.data_dir), options.run_folder)


def print_metrics(metrics, run_dir):
    """Prints the figures of a run on images or on text."""
    print(_text(metrics) if "perplexity" in metrics else _images(metrics))
    print(f"model, metrics and report in {run_dir}")


def _images(metrics):
    return (
        f"{metrics['data']}, {metrics['num_images']:,} test images: accuracy {metrics['accuracy']:.4f}, "
        f"cross-entropy {metrics['cross_entropy']:.4f} nats, "
        f"calibration error {metrics['expected_calibration_error']:.4f}"
    )


def _text(metrics):
    return (
        f"{metrics['data']}, {metrics['num_characters']:,} test characters: cross-entropy "
        f"{metrics['cross_entropy']:.4f} nats, {metrics['bits_per_character']:.4f} bits per character, "
        f"perplexity {metrics['perplexity']:.3f} "
        f"(bigram model: {metrics['bigram']['cross_entropy']:.4f} nats)"
    )
