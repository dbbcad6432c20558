"""Runs an experiment of a report and compares our results with its figures."""

from keras_vit.commands.arguments import add_data_dir, path
from keras_vit.commands.json_option import add_json, json_file
from keras_vit.commands.quiet import quiet_import
from keras_vit.errors import InputError

EXAMPLE = "keras-vit reproduce cnn_batchnorm_cifar10 --run-dir runs/reproductions"


def add_arguments(parser):
    parser.add_argument("name", metavar="NAME", help="a name from `keras-vit list experiments`, or all")
    parser.add_argument("--quick", action="store_true", help="a smoke run, whose results mean nothing")
    parser.add_argument(
        "--only", action="append", metavar="LABEL", help="one line of the table; may be repeated"
    )
    parser.add_argument(
        "--run-dir", type=path, default="runs/reproductions", help="folder to write (default: %(default)s)"
    )
    add_data_dir(parser)
    add_json(parser, "rows of the tables")


def run(options):
    if options.name == "all" and options.only:
        raise InputError("--only names lines of one experiment: expected its NAME, received 'all'.")
    with quiet_import():
        from keras_vit.training.experiments import experiment_names, find_experiment
        from keras_vit.training.reproduce import reproduce, results_dir
    names = experiment_names() if options.name == "all" else [options.name]
    rows = {}
    with json_file(options.json, []) as write:
        for name in names:
            experiment = find_experiment(name).EXPERIMENT
            rows[name] = reproduce(
                name,
                experiment,
                options.run_dir,
                quick=options.quick,
                only=options.only,
                data_dir=options.data_dir,
                show=lambda line: print(line, flush=True),
            )
            place = results_dir(name, experiment, options.run_dir, options.quick)
            print((place / "table.md").read_text(encoding="utf-8"))
        write(rows)
    print(f"tables, plots and index.html in {options.run_dir}")
