"""The commands on a run of pairs of texts, as a user runs them."""

import csv
import json

import pytest

from keras_vit.__main__ import main
from keras_vit.training.hub.card import model_card
from keras_vit.training.hub.exported import exported_files
from keras_vit.training.run_folder import RunFolder

SMALL = ["num_pairs=300", "epochs=1", "hidden_dim=8", "embedding_dim=4", "cell=simple", "attention=dot"]
SOURCES = ["3 May 1979", "Thursday, 04.05.1980"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "dates"
    assert main(["train", "seq2seq_dates", *SMALL, "batch_size=32", "--run-dir", str(folder)]) == 0
    return folder


def test_evaluate_prints_exact_match_and_its_interval(run, capsys):
    assert main(["evaluate", str(run)]) == 0
    printed = capsys.readouterr()
    assert "30 test pairs: exact match 0." in printed.out and "(95 %, by 30 pairs)" in printed.out
    assert "no target is in two splits" in printed.err


def test_predict_answers_texts_and_the_lines_of_a_list(run, capsys, tmp_path):
    (tmp_path / "list.txt").write_text("\n".join(SOURCES))
    written = [f"--csv={tmp_path}/answers.csv", f"--json={tmp_path}/answers.json"]
    assert main(["predict", str(run), *SOURCES, *written]) == 0
    first = capsys.readouterr().out
    assert main(["predict", str(run / "model.keras"), "--files-from", str(tmp_path / "list.txt")]) == 0
    assert capsys.readouterr().out == first and all(source in first for source in SOURCES)
    rows = list(csv.DictReader((tmp_path / "answers.csv").open()))
    assert [row["source"] for row in rows] == SOURCES
    answered = json.loads((tmp_path / "answers.json").read_text())
    assert [{**row, "error": ""} for row in answered] == rows


def test_a_text_that_cannot_be_read_is_an_error_among_answers(run, capsys, tmp_path):
    sources = [SOURCES[0], "\u017dlu\u0165", SOURCES[1]]
    assert main(["predict", str(run), *sources, f"--json={tmp_path}/answers.json"]) == 2
    printed = capsys.readouterr()
    assert SOURCES[0] in printed.out and SOURCES[1] in printed.out and "lu" not in printed.out
    assert "1 of 3 texts cannot be read: \u017dlu\u0165. The first: " in printed.err
    kinds = [[*row] for row in json.loads((tmp_path / "answers.json").read_text())]
    assert kinds == [["source", "answer"], ["source", "error"], ["source", "answer"]]
    assert main(["predict", str(run), *sources, "--skip-broken"]) == 0


@pytest.mark.slow
def test_exported_files_answer_as_the_run_does_and_are_measured(run, capsys, tmp_path):
    words = ["--variant", "savedmodel", "--variant", "fp32", "--variant", "dynamic_int8", "--max-drop", "100"]
    assert main(["export", str(run), *words]) == 0
    assert capsys.readouterr().out.count("verified") == 3
    answers = []
    for model in (run, run / "export" / "saved_model", run / "export" / "model_fp32.tflite"):
        assert main(["predict", str(model), *SOURCES]) == 0
        answers.append(capsys.readouterr().out)
    assert answers[0] == answers[1] == answers[2]
    file = str(run / "export" / "model_fp32.tflite")
    assert main(["benchmark", file, "--rounds", "5", "--signature", "step"]) == 0
    assert "signature step; --signature also accepts encode" in capsys.readouterr().out
    assert main(["doctor", str(run)]) == 0
    assert "2 findings" in capsys.readouterr().out
    card = model_card(RunFolder(run), "me/dates", *exported_files(RunFolder(run)), name="dates")
    assert "text2text-generation" in card and "import answer" in card and "exact match 0." in card


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["predict", "RUN"], "at least one FILE"),
        (["predict", "RUN", " "], "an empty one"),
        (["predict", "RUN", "Žluť"], "not seen"),
        (["predict", "RUN", "x" * 99], "at most 40 characters, received 99"),
        (["predict", "RUN", "3 May 1979", "--outputs", "logits"], "--outputs is for models of images"),
        (["predict", "RUN", "3 May 1979", "--geometry", "stretch"], "--geometry is for models of images"),
        (["export", "RUN", "--variant", "full_int8"], "is not for pairs of texts"),
        (["export", "RUN", "--variant", "auto", "--latencies", "nowhere.json"], "nowhere.json"),
        (["export", "RUN", "--attention"], "--attention is for runs on images"),
        (["export", "RUN", "--characters", "3"], "--characters is for runs on text"),
        (["export", "RUN", "--web", "page"], "--web is for runs on images and text"),
        (["generate", "RUN"], "trained on pairs of texts. Ask it with keras-vit predict"),
        (["train", "seq2seq_dates", "--folds", "2", "--run-dir", "NEW"], "images"),
        (["train", "seq2seq_dates", "distill=x", "--run-dir", "NEW"], "is for images alone"),
        (["train", "seq2seq_dates", "--skip-broken", "--run-dir", "NEW"], "is for images alone"),
        (
            ["train", "seq2seq_dates", "data=pairs:nowhere.csv", "num_pairs=10000", "--run-dir", "NEW"],
            "found none",
        ),
        (["train", "vit_digits", "data=dates", "--run-dir", "NEW"], "dates"),
        (["frontier", "RUN", "--out", "NEW"], "images"),
        (["check", "pairs:nowhere.csv"], "found none"),
    ],
)
def test_what_does_not_fit_is_one_line_and_exit_code_2(run, words, message, capsys, tmp_path):
    places = {"RUN": str(run), "NEW": str(tmp_path / "new")}
    try:
        code = main([places.get(word, word) for word in words])
    except SystemExit as error:
        code = error.code
    error = capsys.readouterr().err
    assert code == 2 and message in error and error.count("\n") == 1, error
    assert not (tmp_path / "new").exists()


def test_check_shows_how_pairs_are_read(capsys, tmp_path):
    rows = [f"{a}{b},{b}{a}" for a in "abcdef" for b in "abcdef"]
    (tmp_path / "pairs.csv").write_text("\n".join(["from,to", *rows]))
    assert main(["check", f"pairs:{tmp_path}/pairs.csv"]) == 0
    printed = capsys.readouterr().out
    assert "column 'from' as source, 'to' as target" in printed and "no source is in two splits" in printed
