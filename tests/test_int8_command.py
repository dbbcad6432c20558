"""A recipe that is to be quantized: training, and the export that trains the file."""

import json

import pytest

from keras_vit.__main__ import main
from keras_vit.commands.export import default_variants
from keras_vit.export.variants import DEFAULT
from keras_vit.training.recipe import ImageRecipe, TextRecipe


@pytest.mark.slow
def test_a_recipe_for_int8_exports_a_file_that_was_trained_for_it(tmp_path, capsys):
    fields = ["variant=Pico/4", "num_layers=1", "hidden_dim=16", "epochs=1", "subset=640"]
    int8 = ["quantize=int8", "int8_epochs=3", "int8_items=64"]
    main(["train", "vit_digits", *fields, *int8, "--run-dir", str(tmp_path)])
    main(["export", str(tmp_path), "--variant", "fp32", "--variant", "full_int8", "--max-drop", "100"])
    rows = {
        row["variant"]: row for row in json.loads((tmp_path / "export/export.json").read_text())["variants"]
    }
    assert (rows["full_int8"]["int8_training_epochs"], rows["full_int8"]["int8_training_items"]) == (3, 64)
    assert rows["full_int8"]["passed"] and (tmp_path / "export/model_full_int8.tflite").exists()
    assert "int8_training_epochs" not in rows["fp32"]


def test_its_variants_are_the_usual_ones_and_full_int8():
    assert default_variants(ImageRecipe(quantize="int8")) == (*DEFAULT, "full_int8")
    assert default_variants(ImageRecipe()) == default_variants(TextRecipe()) == DEFAULT
