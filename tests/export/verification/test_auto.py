"""`auto`, end to end on real digits."""

import json
import os

import numpy as np
import pytest

from keras_vit import ConditionError, InputError
from keras_vit.export import export_model, load_predictor
from keras_vit.export.variants import FILES
from keras_vit.export.verification.choose import NEAR


@pytest.mark.slow
def test_auto_keeps_one_verified_file_next_to_those_by_name(
    model, digits, held_out, names, tmp_path, monkeypatch
):
    monkeypatch.setattr(
        "keras_vit.export.verification.export.CANDIDATES", ("fp32", "fp16", "mixed_int8")
    )  # a minute less
    rows = export_model(
        model,
        tmp_path,
        label_names=names,
        inputs=held_out[0],
        labels=held_out[1],
        task="classification",
        activation="softmax",
        variants=("fp16", "auto"),
        max_drop=1,
        calibration=digits[0][300:],
    )
    assert [row["variant"] for row in rows] == ["fp16", "fp32", "mixed_int8"]
    assert json.loads((tmp_path / "export.json").read_text())["variants"] == sorted(
        rows, key=lambda row: list(FILES).index(row["variant"])
    )
    (kept,) = [row for row in rows if row.get("kept")]
    files = {kept["file"], FILES["fp16"]}
    assert set(os.listdir(tmp_path)) == {"app.md", "export.json", "export.png", "labels.txt", *files}
    assert kept["drop"] <= 1 and kept["agreement"] >= 0.97
    tried = [row["latency_ms"] for row in rows if row["passed"]]
    assert kept["latency_ms"] <= NEAR * min(tried)
    answers = load_predictor(tmp_path / kept["file"]).probabilities(held_out[0])
    assert np.mean(answers.argmax(axis=1) == held_out[1]) == pytest.approx(kept["score"])


def test_when_no_variant_does_nothing_is_left(model, digits, held_out, names, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise ConditionError("the conversion failed: it crashed")

    monkeypatch.setattr("keras_vit.export.tflite.writer.write_tflite", refuse)
    with pytest.raises(ConditionError, match="Not exported: fp32 .*crashed.*int4"):
        export_model(
            model,
            tmp_path,
            label_names=names,
            inputs=held_out[0],
            labels=held_out[1],
            task="classification",
            activation="softmax",
            variants=("auto",),
            calibration=digits[0][300:],
        )
    assert sorted(os.listdir(tmp_path)) == ["app.md", "export.json", "labels.txt"]


def test_too_few_calibration_images_are_refused_before_anything_is_written(model, held_out, names, tmp_path):
    with pytest.raises(InputError, match="at least 32 calibration items for mixed_int8, received 5"):
        export_model(
            model,
            tmp_path / "x",
            label_names=names,
            inputs=held_out[0],
            labels=held_out[1],
            task="classification",
            activation="softmax",
            variants=("mixed_int8",),
            calibration=held_out[0][:5],
        )
    assert not (tmp_path / "x").exists()
