import subprocess
import sys

import pytest

from keras_vit.commands.data_option import _PATHS, _WITHOUT_PATH
from keras_vit.commands.slips import field_names
from keras_vit.training.common_recipe import _DECIDED
from keras_vit.training.data.sources import find_source, source_names
from keras_vit.training.recipe import ImageRecipe, PairRecipe, TextRecipe
from keras_vit.training.text.made_pairs import MAKERS

OF_LAYERS = {"trainable", "autocast", "activity_regularizer", "rotary", "causal"}  # which builders decide
OF_RECIPES = {"model_options", "builders", "_kind_of_data"}  # which no command gives
WITHOUT_KERAS = """
import sys
sys.modules["keras"] = sys.modules["tensorflow"] = None  # importing them fails
from keras_vit.__main__ import main
sys.exit(main())
"""


def without_keras(words, folder):
    command = [sys.executable, "-c", WITHOUT_KERAS, *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("train vit_digitz", "Unknown recipe 'vit_digitz'. Did you mean vit_digits? Expected one of char_"),
        ("train vit_digits hiden_dim=4", "Unknown recipe field 'hiden_dim'. Did you mean hidden_dim?"),
        ("train vit_digits depth=4", "Unknown recipe field 'depth'. Did you mean num_layers?"),
        ("train vit_digits lr=1e-3", "Unknown recipe field 'lr'. Did you mean learning_rate?"),
        (
            "train vit_photos data=folder:photo",
            "Expected a folder of class folders at photo, found nothing. Did you mean photos?",
        ),
        ("train vit_photos data=npz:no.npz", "Expected an .npz file at no.npz, found nothing."),
        (
            "tune vit_digit",
            "Unknown search 'vit_digit'. Did you mean vit_digits? Expected one of char_",
        ),
        ("train vit_digits --resume", "There is no run in run to resume. Leave --resume out to start one."),
        ("tune vit_digits epoch=2,3", "Unknown recipe field 'epoch'. Did you mean epochs?"),
        (
            "check folder:photo",
            "keras-vit: Expected a folder of class folders at photo, found nothing. Did you",
        ),
        ("check photos", "texts with text: or pairs:. Did you mean folder:photos?"),
        ("pack shards:packd", "keras-vit: Expected a folder of shards at packd, found nothing."),
        (
            "evaluate run --data table:t.csv",
            "Expected a CSV or Parquet file at t.csv, found",
        ),
        ("export m.keras --data npz:none.npz", "Expected an .npz file at none.npz, found nothing."),
        ("export m.keras --calibration folder:photo", "Expected a folder of class folders at"),
    ],
)
def test_a_slip_is_answered_before_keras_is_imported(words, message, tmp_path):
    (tmp_path / "photos").mkdir()
    more = {"train": ["--run-dir", "run"], "tune": ["--run-dir", "run"], "pack": ["out"]}
    words = [*words.split(), *more.get(words.split()[0], [])]
    done = without_keras(words, tmp_path)
    assert done.returncode == 2
    assert message in done.stderr and done.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


@pytest.mark.parametrize(
    ("more", "message"),
    [([], "run already contains a run. Set --resume"), (["--devices", "all"], "keras is needed")],
)
def test_a_used_folder_is_answered_early_unless_processes_may_have_their_own(more, message, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "recipe.json").write_text("{}")
    done = without_keras(["train", "vit_digits", "--run-dir", "run", *more], tmp_path)
    assert done.returncode == 2 and message in done.stderr


def test_specs_with_and_without_a_path_are_those_of_the_sources():
    sources = {name: find_source(f"{name}:x")[0] for name in source_names() if name != "digits"}
    assert {name for name, source in sources.items() if source.ARGUMENT == "PATH"} == set(_PATHS)
    assert set(_WITHOUT_PATH) == {"digits", "names", *MAKERS} and not find_source("digits")[0].ARGUMENT


def test_the_fields_read_from_the_sources_are_those_of_the_recipes():
    kinds = (ImageRecipe, TextRecipe, PairRecipe)
    known = set().union(*(kind.types(*kind.builders) for kind in kinds))
    assert set(field_names()) - known <= _DECIDED | OF_LAYERS | OF_RECIPES
    assert known <= set(field_names())
