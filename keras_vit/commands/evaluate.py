"""Evaluates a run's model on the test split."""

from keras_vit.commands.arguments import add_data_dir, add_run
from keras_vit.commands.quiet import quiet_import

EXAMPLE = "keras-vit evaluate runs/digits"


def add_arguments(parser):
    add_run(parser)
    add_data_dir(parser)


def run(options):
    with quiet_import():
        from keras_vit.training.run import load_run
    trained = load_run(options.run_folder, options.data_dir)
    metrics = trained.task.evaluate(trained.folder, trained.model, trained.data)
    print_metrics(trained.task, metrics, options.run_folder)


def print_metrics(task, metrics, run_dir):
    """Prints a run's metrics, and where its files are."""
    print(task.summary(metrics))
    print(f"model, metrics and report in {run_dir}")
