"""Exports a model of any kind with data that the command line names."""

from pathlib import Path

from keras_vit.commands.data_option import EXPECTED
from keras_vit.commands.export import chosen_variants, given
from keras_vit.commands.items import read_items
from keras_vit.commands.model_option import named_metric
from keras_vit.errors import InputError
from keras_vit.export.metadata.tables import Card
from keras_vit.export.model.export import export_model
from keras_vit.export.model.keras_export import KerasExport
from keras_vit.export.model.signature import graph_signature
from keras_vit.export.tasks import TASKS, tasks_that_fit
from keras_vit.export.variants import steps
from keras_vit.io.label_names import read_label_names
from keras_vit.io.progress import working
from keras_vit.keras_internals import is_graph
from keras_vit.pretrained.run_source import MODEL


def export_found(options, found, show) -> Path:
    """Exports a `FoundModel` with the options of `keras-vit export`; returns the folder of the files."""
    out = _out(options, found)
    if options.data is None:
        raise InputError(
            f"Expected --data, held-out items that the files of {found.name} are compared on: {EXPECTED}."
        )
    if options.better and not options.metric:
        raise InputError("--better is for --metric. Leave it out.")
    items = read_items(options.data, found, options)
    meaning = known_meaning(options, found, items)
    variants = chosen_variants(options)
    with working("exporting", steps(variants)) as progress:

        def report(rows):
            progress.stop()
            show(rows, KerasExport.columns)

        export_model(
            found.model,
            out,
            inputs=items.inputs,
            labels=items.labels,
            label_names=_label_names(options, found, items, meaning),
            calibration=_calibration(options, found, items),
            metric=named_metric(options),
            higher_is_better=options.better and options.better == "higher",
            preparation=items.preparation,
            preprocessing=items.preprocessing,
            replace=options.replace,
            variants=variants,
            attention=options.attention,
            card=Card(options.name or found.name, author=options.author or "", license=options.license or ""),
            report=report,
            progress=progress,
            **meaning,
            **given(
                max_drop=options.max_drop,
                latencies=options.latencies,
                input_dtype=options.input,
                batch_size=options.batch,
            ),
        )
    return out


def _out(options, found):
    """The given folder; else one in the folder of a model, such as a search's winner, or next to its file."""
    if options.out:
        return Path(options.out)
    is_folder = Path(options.model, MODEL).is_file()
    return found.folder / ("export" if is_folder else f"{found.name}_export")


def known_meaning(options, found, items):
    """Returns `task`, `activation` and what decides an answer; prints what is not from the options.

    Raises:
        InputError: there are labels, and what the outputs mean is not known; it lists the tasks that fit.
    """
    meaning = found.meaning(options)
    if items.labels is not None and meaning["task"] is None and options.metric is None:
        raise InputError(
            f"What the outputs of {found.name} mean is not known, which the labels are compared by. Add "
            f"{_choices(found.model)}, --metric module:name, or --no-labels to compare outputs only."
        )
    if not (options.task or options.activation):
        print(f"taken: task {meaning['task'] or 'none'}, activation {meaning['activation'] or 'none'}")
    is_known = (meaning["task"], meaning["activation"]) == (found.task, found.activation)
    decided = {"thresholds": found.thresholds, "none_below": found.none_below} if is_known else {}
    return {**meaning, **decided}


def _choices(model):
    if not is_graph(model):
        return "--task [OUTPUT=]TASK"
    outputs = graph_signature(model).outputs
    return ", ".join(
        f"--task {'' if len(outputs) == 1 else output.name + '='}{'|'.join(tasks_that_fit(output.shape))}"
        for output in outputs
    )


def _label_names(options, found, items, meaning):
    if options.labels_file:
        return read_label_names(options.labels_file)
    tasks = meaning["task"]
    tasks = [task for task in (tasks.values() if isinstance(tasks, dict) else [tasks]) if task is not None]
    named = [task for task in tasks if TASKS[task].has_names]
    if len(named) != 1:
        return None
    return found.label_names if named == ["regression"] else items.label_names or found.label_names


def _calibration(options, found, items):
    if options.calibration is None:
        return items.calibration
    return read_items(options.calibration, found, options).inputs
