"""predictions.csv has a row for each image that was not trained on, the worst mistakes first."""

import csv
import dataclasses
import os

import numpy as np
import pytest
from PIL import Image

from keras_vit.training import ImageRecipe, load_data, train
from keras_vit.training.predictions import write_predictions


def rows_of(path):
    with open(path, newline="", encoding="utf-8", errors="surrogateescape") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def photos(tmp_path):
    generator = np.random.default_rng(0)
    for name, level in (("dark", 40), ("light", 200)):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for index in range(20):
            pixels = generator.integers(level - 30, level + 30, (12, 12, 3)).astype("uint8")
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{index}.png")
    return tmp_path / "photos"


def test_a_run_writes_the_path_and_answer_of_each_held_out_image(photos, tmp_path):
    options = {"data": f"folder:{photos}", "model": "linear", "epochs": 2, "batch_size": 8}
    run = train(ImageRecipe(**options, image_size=8, test_fraction=0.2), tmp_path / "run")
    rows = rows_of(run.folder.predictions)
    assert tuple(rows[0]) == ("path", "split", "label", "answer", "score", "correct", "doubt")
    assert len(rows) == len(run.data.validation) + len(run.data.test)
    assert all(os.path.basename(os.path.dirname(row["path"])) == row["label"] for row in rows)
    assert all(os.path.isfile(row["path"]) for row in rows)
    assert all((row["label"] == row["answer"]) == (row["correct"] == "1") for row in rows)
    of_test = [row for row in rows if row["split"] == "test"]
    assert np.mean([row["correct"] == "1" for row in of_test]) == pytest.approx(run.metrics["accuracy"])


def test_the_most_confident_mistakes_come_first_and_the_surest_answers_last(tmp_path):
    data = load_data("digits", subset=100)
    generator = np.random.default_rng(0)
    given = {
        name: generator.dirichlet(np.ones(10), len(data.splits[name])) for name in ("validation", "test")
    }
    write_predictions(tmp_path / "predictions.csv", data, given)
    rows = rows_of(tmp_path / "predictions.csv")
    mistakes = [float(row["score"]) for row in rows if row["correct"] == "0"]
    right = [float(row["score"]) for row in rows if row["correct"] == "1"]
    assert [row["correct"] for row in rows] == ["0"] * len(mistakes) + ["1"] * len(right)
    assert mistakes == sorted(mistakes, reverse=True) and right == sorted(right) and right
    assert {row["path"] for row in rows if row["split"] == "test"} == set(data.test.names())


def test_wrong_labels_are_numbered_by_how_doubtful_they_are(tmp_path):
    data = load_data("digits")
    wrong = np.arange(0, 60, 6)
    labels = data.test.labels.copy()
    labels[wrong] = (labels[wrong] + 1) % 10
    spoiled = dataclasses.replace(data, test=dataclasses.replace(data.test, labels=labels))
    sure = np.full((len(labels), 10), 0.01)
    sure[np.arange(len(labels)), data.test.labels] = 0.91
    write_predictions(tmp_path / "predictions.csv", spoiled, {"test": sure})
    rows = rows_of(tmp_path / "predictions.csv")
    found = {row["path"] for row in rows if row["doubt"]}
    assert found == {data.test.names()[row] for row in wrong}
    assert sorted(int(row["doubt"]) for row in rows if row["doubt"]) == list(range(1, 11))
