"""Evaluates a run's model on the test split, or any model on data."""

from keras_vit.commands.arguments import path, refuse, share
from keras_vit.commands.data_option import EXPECTED, OF_DATA, add_data
from keras_vit.commands.json_option import add_json, json_file
from keras_vit.commands.model_option import (
    add_import,
    add_metric,
    add_task,
    by_output,
    model_name,
    named_metric,
)
from keras_vit.commands.quiet import quiet_engines, quiet_import
from keras_vit.errors import InputError, counted

EXAMPLE = "keras-vit evaluate model.keras --data folder:photos --task classification"


def add_arguments(parser):
    parser.add_argument(
        "model",
        type=model_name,
        metavar="MODEL",
        help="run folder; or, with --data, any model as `keras-vit predict` takes it",
    )
    add_data(parser)
    add_task(parser)
    add_metric(parser)
    parser.add_argument(
        "--precision",
        type=share,
        metavar="P",
        help="runs of classes only: answer 'none of these' below a probability, so that P of the other "
        "answers are right, such as 0.95; predict and exported files do so from then on",
    )
    parser.add_argument(
        "--unknown",
        type=path,
        metavar="DIR",
        help="pictures with none of the classes, which count as wrong answers for --precision",
    )
    add_import(parser)
    add_json(parser, "metrics")


def run(options):
    with quiet_import():
        from keras_vit.export.variants import is_exported
        from keras_vit.importing import is_name
    is_file = options.model.endswith(".keras") or is_exported(options.model)
    if options.data is None:
        if is_file or is_name(options.model):
            raise InputError(f"Expected --data for {options.model}, which is no run: {EXPECTED}.")
        if options.metric is not None:
            raise InputError("--metric is for --data. Leave it out, or add the data to evaluate on.")
        refuse(options, OF_DATA, "is for --data: a run knows its own. Leave it out.")
    else:
        known = "is for runs, which know their data: leave it or --data out."
        refuse(options, ("precision", "unknown"), known)
    with json_file(options.json, [options.model]) as write:
        write(_run_metrics(options) if options.data is None else _scores(options))


def _run_metrics(options):
    with quiet_import():
        from keras_vit.training.load import show_data
        from keras_vit.training.run import evaluate_run, load_run, wanted_answers

    unsure = wanted_answers(options.model, options.precision, options.unknown)
    trained = load_run(options.model, options.data_dir)
    show_data(trained.data, trained.task)
    metrics = evaluate_run(trained, unsure)
    print_metrics(trained.task, metrics, options.model)
    if unsure is not None and trained.folder.export.is_dir():
        print(f"files in {trained.folder.export} answer as before: export again")
    return metrics


def _scores(options):
    """Returns the score of each output with a task, or the value of the user's metric, and prints them."""
    quiet_engines(options.model)
    with quiet_import():
        from keras_vit.commands.items import read_items
        from keras_vit.commands.predictor import find_predictor
        from keras_vit.export.model.items import read_items as as_arrays
        from keras_vit.export.model.meaning import expected_outputs, own_metric
        from keras_vit.export.model.verify import measured

    found = find_predictor(options.model)
    items = read_items(options.data, found, options)
    inputs, labels = as_arrays(items.inputs, items.labels, 1 + len(found.inputs[0].shape))
    if labels is None:
        raise InputError(f"{options.data} has no labels to evaluate {found.name} by.")
    outputs = found.predictor.outputs(inputs)
    if options.metric is not None:
        metric = own_metric(named_metric(options), True, labels, outputs)  # nothing is compared here
        value = measured(metric, outputs)
        print(f"{metric.name} {value:.4f} of {counted(len(next(iter(outputs.values()))), 'item')}")
        return {"data": options.data, "metric": metric.name, "value": value}
    recorded = {o.name: o.task for o in found.predictor.description.outputs if o.task}  # of an export, a run
    task = by_output(options.task) or recorded or None
    rows = {}
    for name, value in expected_outputs(outputs, task, labels).items():
        if value.labels is not None:
            score = float(value.task.score(value.labels, value.values, value.threshold))
            rows[name] = {"task": value.task.name, "metric": value.task.metric, "value": score}
            print(
                f"{name}: {value.task.metric} {score:.4f} of {counted(len(value.values), 'item')} "
                f"({value.task.name})"
            )
            if value.task.name == "classification":
                rows[name] |= _place(value, items.label_names or found.label_names)
    return {"data": options.data, "outputs": rows}


def _place(value, names):
    """Returns where the accuracy of an output stands between chance and certainty, and prints it."""
    from keras_vit.export.tasks.scores import decisions
    from keras_vit.training.chance import lines, placed

    labels = value.labels.astype("int64")
    count = max(value.values.shape[-1], 2)
    names = names if names is not None and len(names) == count else range(count)
    found = placed(decisions(value.values, value.threshold) == labels, labels, names)
    advice = "add labelled items, or train longer"
    print("\n".join(lines({**found, "num_images": len(labels)}, advice, "item")))
    return found


def print_metrics(task, metrics, run_dir):
    """Prints a run's metrics, and where its files are."""
    print("\n".join([task.summary(metrics), *task.place(metrics)]))
    print(f"model, metrics and report in {run_dir}")
