import dataclasses
import shutil
import statistics

import pytest

from keras_vit import InputError
from keras_vit.io.json_files import read_json
from keras_vit.training.experiments import experiment_names, find_experiment
from keras_vit.training.recipe import ImageRecipe, override
from keras_vit.training.reproduce import Configuration, Experiment, reproduce, results_dir, vary
from keras_vit.training.reproduce.page import write_pages
from keras_vit.training.reproduce.plots import bars, curves, sweep
from keras_vit.training.reproduce.results import Computation
from keras_vit.training.reproduce.run import planned

TINY = ImageRecipe(
    variant="Pico/4", num_layers=1, hidden_dim=16, epochs=1, batch_size=256, learning_rate=3e-3
)
EXPERIMENT = Experiment(
    title="Sizes & <depths>",
    configurations=(
        Configuration("the base", TINY, reported=0.5, seeds=(0, 1)),
        *vary(TINY, "hidden_dim", (8,)),
        Configuration("later", dataclasses.replace(TINY, epochs=2)),
    ),
    columns=("train_accuracy", "macro.f1"),
    assumptions="Digits for <all>.",
    plots=(curves(), bars(), sweep("hidden_dim", log=True)),
    report_pictures=("position_similarity",),
    quick=("epochs=1", "subset=300"),
)


pytestmark = pytest.mark.slow  # it trains; `test_main` reproduces a count


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reproductions")
    reproduce("sizes", EXPERIMENT, folder, only=("the base", "hidden_dim=8"))
    return folder


def test_the_table_compares_our_metrics_with_the_reports_and_marks_lines_not_run(folder):
    table = (folder / "sizes" / "table.md").read_text()
    rows = {line.split(" | ")[0].strip("| "): line.split(" | ") for line in table.splitlines() if "|" in line}
    results = read_json(folder / "sizes" / "results.json")
    first, second = results["rows"][0]["runs"]
    assert first["accuracy"] != second["accuracy"] or first["cross_entropy"] != second["cross_entropy"]
    mean = 50 * (first["accuracy"] + second["accuracy"])
    assert rows["the base"][1] == "50.00 %" and rows["the base"][2].startswith(f"{mean:.2f} % ±")
    assert rows["the base"][5] == "2 of 2" and rows["hidden_dim=8"][5] == "1 of 1"
    assert rows["later"][2] == "not run"
    assert rows["the base"][4].startswith(
        f"{statistics.fmean(run['macro.f1'] for run in (first, second)):.3f} ±"
    )
    assert not results["complete"]


def test_the_page_shows_every_picture_and_escapes_text(folder):
    page = (folder / "index.html").read_text()
    for name in ("curves", "figures", "accuracy_by_hidden_dim"):
        assert f"sizes/{name}.png" in page and (folder / "sizes" / f"{name}.png").stat().st_size > 5000
    for label in ("the-base-seed0", "hidden-dim-8-seed0"):
        copied = folder / "sizes" / f"position_similarity-{label}.png"
        original = folder / "sizes" / "runs" / label / "report" / "position_similarity.png"
        assert f"sizes/{copied.name}" in page and copied.read_bytes() == original.read_bytes()
    assert "Sizes &amp; &lt;depths&gt;" in page and "Digits for &lt;all&gt;." in page
    assert "Not all of it was run" in page


def test_the_page_begins_with_the_text_of_about_txt(folder):
    assert "copies" not in (folder / "index.html").read_text()
    (folder / "about.txt").write_text("Some images\nare <copies>.\n\nTimes vary.\n")
    write_pages(folder)
    head = (folder / "index.html").read_text().partition("<section")[0]
    assert "<p>Some images are &lt;copies&gt;.</p>" in head and "<p>Times vary.</p>" in head
    (folder / "about.txt").unlink()


def test_the_page_names_the_experiments_that_were_not_run(folder):
    left = (folder / "index.html").read_text().partition("Not run yet")[2]
    assert all(f"keras-vit reproduce {name}<" in left for name in experiment_names())


def test_finished_runs_are_not_repeated(folder):
    lines = []
    stamps = {path: path.stat().st_mtime_ns for path in folder.glob("sizes/runs/*/model.keras")}
    reproduce("sizes", EXPERIMENT, folder, only=("the base",), show=lines.append)
    assert len(stamps) == 3 and all(path.stat().st_mtime_ns == stamp for path, stamp in stamps.items())
    assert lines == ["sizes: the base, seed 0 (1 of 2)", "sizes: the base, seed 1 (2 of 2)"]


def test_runs_recorded_in_results_json_are_kept_without_their_folders(folder, tmp_path):
    (tmp_path / "sizes").mkdir()
    for file in (folder / "sizes").glob("*.*"):
        shutil.copyfile(file, tmp_path / "sizes" / file.name)
    before, table = read_json(folder / "sizes" / "results.json"), (folder / "sizes" / "table.md").read_text()
    reproduce("sizes", EXPERIMENT, tmp_path, only=("the base", "hidden_dim=8"))
    assert read_json(tmp_path / "sizes" / "results.json") == before
    assert (tmp_path / "sizes" / "table.md").read_text() == table
    assert not (tmp_path / "sizes" / "runs").exists()


def test_a_recorded_run_of_another_recipe_is_not_kept(folder, tmp_path):
    (tmp_path / "sizes").mkdir()
    shutil.copyfile(folder / "sizes" / "results.json", tmp_path / "sizes" / "results.json")
    other = Configuration("hidden_dim=8", dataclasses.replace(TINY, hidden_dim=8, learning_rate=1e-3))
    changed = dataclasses.replace(EXPERIMENT, configurations=(*EXPERIMENT.configurations[:1], other))
    reproduce("sizes", changed, tmp_path, only=("the base",))
    rows = read_json(tmp_path / "sizes" / "results.json")["rows"]
    assert [len(row["runs"]) for row in rows] == [2, 0]


def test_a_finished_run_of_another_recipe_is_refused(folder):
    other = dataclasses.replace(TINY, hidden_dim=8, learning_rate=1e-3)
    lines = Configuration("the base", TINY), Configuration("hidden_dim=8", other)
    changed = dataclasses.replace(EXPERIMENT, configurations=lines)
    for only in (None, ["the base"]):  # the table has the figures of both either way
        with pytest.raises(InputError, match=r"another recipe: learning_rate=0.001 \(was 0.003\)"):
            reproduce("sizes", changed, folder, only=only)


def test_the_first_seed_of_every_line_is_run_before_any_second_seed():
    lines = *vary(TINY, "hidden_dim", (8, 16), seeds=(3, 4)), Configuration("later", TINY)
    order = [(line.label, seed) for line, seed in planned(lines)]
    assert order == [
        ("hidden_dim=8", 3),
        ("hidden_dim=16", 3),
        ("later", 0),
        ("hidden_dim=8", 4),
        ("hidden_dim=16", 4),
    ]
    assert planned(lines, quick=True) == [(line, line.seeds[0]) for line in lines]


def test_an_interruption_leaves_a_page_and_a_run_without_report_is_not_finished(tmp_path):
    def interrupt(line):
        if "(2 of" in line:
            raise KeyboardInterrupt

    blocked = tmp_path / "sizes" / "runs" / "the-base-seed0" / "report" / "mine.txt"
    blocked.parent.mkdir(parents=True)
    blocked.touch()
    with pytest.raises(InputError, match=r"one that holds index.html"):
        reproduce("sizes", EXPERIMENT, tmp_path, only=("the base",))
    blocked.unlink()
    with pytest.raises(KeyboardInterrupt):
        reproduce("sizes", EXPERIMENT, tmp_path, only=("the base",), show=interrupt)
    assert (blocked.parent / "index.html").is_file()
    assert "<td>1 of 2</td>" in (tmp_path / "index.html").read_text()


def test_a_quick_run_is_marked_and_keeps_full_results(folder):
    before = (folder / "sizes" / "results.json").read_bytes()
    reproduce("sizes", EXPERIMENT, folder, quick=True, only=("hidden_dim=8",))
    assert (folder / "sizes" / "results.json").read_bytes() == before
    assert "Smoke run" in (folder / "sizes-quick" / "table.md").read_text()
    assert read_json(folder / "sizes-quick" / "results.json")["quick"]


def test_a_run_that_diverges_is_a_result_and_the_others_continue(tmp_path):
    wild = ImageRecipe(
        model="mlp", epochs=2, optimizer="sgd", learning_rate=1e6, clip_norm=None, activation="relu"
    )
    lines = Configuration("wild", wild, seeds=(0, 1)), Configuration("the base", TINY)
    rates = dataclasses.replace(EXPERIMENT, configurations=lines)
    messages = []
    rows = reproduce("rates", rates, tmp_path, only=("wild", "the base"), show=messages.append)
    assert [len(row["runs"]) for row in rows] == [0, 1]
    assert [end["seed"] for end in rows[0]["diverged"]] == [0, 1]
    assert "Training stopped in epoch 1" in rows[0]["diverged"][0]["reason"] and "diverged" in messages[1]
    table = (tmp_path / "rates" / "table.md").read_text()
    assert "| wild | - | diverged |" in table and "| 0 of 2, 2 diverged |" in table
    assert read_json(tmp_path / "rates" / "results.json")["complete"]
    stamp = (tmp_path / "rates" / "runs" / "wild-seed0" / "recipe.json").stat().st_mtime_ns
    reproduce("rates", rates, tmp_path)  # not repeated: it would diverge again
    assert (tmp_path / "rates" / "runs" / "wild-seed0" / "recipe.json").stat().st_mtime_ns == stamp


def test_an_unknown_configuration_is_refused(folder):
    with pytest.raises(InputError, match="Unknown configuration 'wide'. Expected one of 'the base', "):
        reproduce("sizes", EXPERIMENT, folder, only=("wide",))


def test_an_experiment_may_compute_instead_of_train(tmp_path):
    counting = Computation(
        title="Counting", rows=lambda: [{"size": 2, "share": 0.25}, {"size": 1000, "share": 1.0}]
    )
    reproduce("counting", counting, tmp_path)
    assert "| 1,000 | 1 |" in (tmp_path / "counting" / "table.md").read_text()


def test_a_computation_has_no_separate_smoke_run_and_no_lines_to_select(tmp_path):
    counting = Computation(title="Counting", rows=lambda: [{"size": 2}])
    reproduce("counting", counting, tmp_path, quick=True)
    assert (results_dir("counting", counting, tmp_path, quick=True) / "table.md").is_file()
    assert not read_json(tmp_path / "counting" / "results.json")["quick"]
    with pytest.raises(InputError, match="'counting' trains nothing: expected no labels, received 'base'"):
        reproduce("counting", counting, tmp_path, only=["base"])


def test_results_json_is_written_after_the_table(tmp_path):
    (tmp_path / "empty" / "table.md").mkdir(parents=True)
    with pytest.raises(InputError, match="table.md is a folder"):
        reproduce("empty", Experiment(title="Empty", configurations=()), tmp_path)
    assert not (tmp_path / "empty" / "results.json").exists()


def test_an_unknown_experiment_is_refused():
    with pytest.raises(InputError, match="Unknown experiment 'vgg'"):
        find_experiment("vgg")


@pytest.mark.parametrize("label", ["short {}", "a name that takes more than half of the width {}"])
def test_a_legend_below_stays_within_the_picture(label):
    rows = [{"label": label.format(i), "runs": [{"curve": {"loss": [1.0, 0.5]}}]} for i in range(4)]
    _, _, canvas = curves("loss")(rows)
    canvas.canvas.draw()
    box = canvas.legends[0].get_window_extent()
    assert box.x0 >= 0 and box.x1 <= canvas.bbox.width
    assert canvas.axes[0].get_window_extent().y0 > box.y1


@pytest.mark.parametrize("name", experiment_names())
def test_every_experiment_has_a_docstring_with_its_command_and_recipes_that_hold_when_quick(name):
    module = find_experiment(name)
    assert f"keras-vit reproduce {name}" in module.__doc__
    if isinstance(module.EXPERIMENT, Experiment):
        for configuration in module.EXPERIMENT.configurations:
            override(configuration.recipe, module.EXPERIMENT.quick)


def test_a_configuration_begins_with_the_weights_of_another_which_is_run_first(tmp_path):
    unset = dict.fromkeys(("variant", "num_layers", "hidden_dim"))
    tuned = TINY.replace(image_size=16, pretrained="a run", tuning="head", batch_size=64, **unset)
    transfer = Experiment(
        title="Transfer",
        configurations=(
            Configuration("source", TINY),
            Configuration("target", tuned, pretrained_by="source"),
        ),
        columns=("nearest_neighbours.accuracy",),
    )
    rows = reproduce("transfer", transfer, tmp_path, only=("target",))
    assert [len(row["runs"]) for row in rows] == [1, 1]
    assert rows[1]["runs"][0]["nearest_neighbours.accuracy"] > 0.3
    moved = tmp_path.rename(tmp_path.with_name("moved"))
    (moved / "transfer" / "runs" / "target-seed0" / "metrics.json").unlink()  # as if it had been interrupted
    assert reproduce("transfer", transfer, moved)[1]["runs"][0]["accuracy"] == rows[1]["runs"][0]["accuracy"]
    with pytest.raises(ValueError, match="'absent'"):
        dataclasses.replace(transfer, configurations=(Configuration("a", TINY, pretrained_by="absent"),))


def test_epochs_are_whole_numbers_on_the_axis_of_one_epoch():
    rows = [{"label": "quick", "runs": [{"curve": {"val_accuracy": [0.1]}}]}]
    _, _, canvas = curves()(rows)
    canvas.draw_without_rendering()
    assert all(tick == round(tick) for tick in canvas.axes[0].get_xticks())


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("line, legend", [("", False), ("ViT", True)])
def test_a_sweep_has_a_legend_when_its_lines_have_names(line, legend):
    rows = [{"label": "a", "runs": [{"accuracy": 0.5}], "recipe": {"mlp_dim": size}} for size in (8, 16)]
    _, _, canvas = sweep("mlp_dim", groups={line: lambda label: label == "a"})(rows)
    assert (canvas.axes[0].get_legend() is not None) == legend


def test_a_sweep_shows_a_value_that_is_the_recipes_default_and_is_none_where_nothing_was_run():
    row = {"label": "a", "runs": [{"accuracy": 0.5}]}
    rows = [{**row, "recipe": {"learning_rate": 0.01}}, {**row, "recipe": {}}]
    assert ImageRecipe().learning_rate == 0.001
    _, _, canvas = sweep("learning_rate", log=True)(rows)
    assert [tick.get_text() for tick in canvas.axes[0].get_xticklabels()] == ["0.001", "0.01"]
    assert sweep("hidden_dim")(rows) is None
    sizes = [{**row, "recipe": {"mlp_dim": size}} for size in (8, 16)]
    assert sweep("mlp_dim")(sizes[:1]) is None  # a point is no line
    _, caption, canvas = sweep("mlp_dim")(sizes)
    assert caption == "Accuracy by MLP size." and canvas.axes[0].get_xlabel() == "MLP size"
    assert curves(labels=("b",))(rows) is None
