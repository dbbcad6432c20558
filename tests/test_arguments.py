import pytest

from keras_vit.__main__ import make_parser
from keras_vit.commands.arguments import by_options


@pytest.mark.parametrize(
    "line",
    [
        "tune vit_mnist hidden_dim=32,64 epochs=4 --subset 100 --run-dir runs/a",
        "tune vit_mnist --subset 100 hidden_dim=32,64 epochs=4 --run-dir runs/a",
        "tune --run-dir runs/a vit_mnist hidden_dim=32,64 --subset 100 epochs=4",
    ],
)
def test_fields_are_accepted_before_and_after_options(line):
    options = make_parser().parse_args(line.split())
    assert options.search == "vit_mnist" and options.overrides == ["hidden_dim=32,64", "epochs=4"]
    assert options.subset == 100 and options.run_dir == "runs/a"


def test_a_command_without_fields_needs_none():
    assert make_parser().parse_args(["train", "vit_digits", "--run-dir", "runs/a"]).overrides == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("tune --run-dir runs/a", "SEARCH"),
        ("tune vit_digits epochs=1", "--run-dir"),
        ("tune vit_digits --run-dir runs/a --chief a:1 --join a:1", "not allowed"),
        ("benchmark", "required"),
        ("train vit_digits --run-dir runs/a --no-such", "unrecognized arguments: --no-such. See"),
        ("check folder:my photos", "unrecognized arguments: photos. Quote a path that has spaces. See"),
        ("train vit_digits --run-dir runs/a --skip_broken", "Did you mean --skip-broken? See"),
        ("predict model.tflite --topp=3 cat.jpg", "Did you mean --top? See"),  # not --top-p of generate
        ("export m.keras --variant int8", "Did you mean dynamic_int8, mixed_int8, full_int8?"),
        ("export m.keras --variants fp32", "Did you mean --variant? See `keras-vit export --help`"),
        ("chek folder:photos", "Did you mean check? See"),
        ("list recipe", "Did you mean recipes? See"),
        ("xyz", "'completion'). See"),
    ],
)
def test_missing_and_unknown_arguments_are_named(line, message, capsys):
    with pytest.raises(SystemExit) as ended:
        make_parser().parse_args(line.split())
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("command", ["export", "evaluate", "predict", "doctor", "generate"])
def test_a_slip_in_the_path_of_a_model_is_answered_before_any_import(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "photos").mkdir(parents=True)
    with pytest.raises(SystemExit) as ended:
        make_parser().parse_args([command, "runs/photo"])
    assert ended.value.code == 2
    message = (
        "no file or folder runs/photo here. Did you mean runs/photos? Public weights of this name are hf://"
    )
    assert message in capsys.readouterr().err
    for name in ("runs/photos", "timm/vit_tiny", "my.py:build"):
        assert make_parser().parse_args(["export", name]).model == name


def test_messages_on_data_name_what_the_command_takes():
    options = make_parser().parse_args(["check", "folder:photos"])
    said = (
        "Set label_kind=several or 'group=pattern:(.*)_' or group=, or set skip_broken=True (--skip-broken)."
    )
    assert by_options(said, options) == (
        "Set --label-kind several or --group 'pattern:(.*)_' or --group, or set --skip-broken."
    )
    training = make_parser().parse_args(["train", "vit_photos", "--run-dir", "runs/a"])
    assert by_options(said, training) == said.replace("skip_broken=True (--skip-broken)", "--skip-broken")
    said = "Expected relative_to (--relative-to) and a ratio, max_latency_ratio=0.7 (--max-latency-ratio)."
    search = make_parser().parse_args(["tune", "vit_digits", "--run-dir", "runs/a"])
    assert by_options(said, search) == "Expected --relative-to and a ratio, --max-latency-ratio 0.7."
    assert by_options(said, training) == said
