"""The tables of `keras-vit benchmark`."""

from rich.console import Console

from keras_vit.export.benchmarking.table import files_table

ROW = {
    "bytes": 1_000_000,
    "peak_memory_bytes": 2_000_000,
    "median_ms": 1.0,
    "p10_ms": 0.9,
    "p90_ms": 1.1,
    "ratio": 1.0,
    "floor_ms": None,
    "partitions": 1,
    "outside": [],
}


def first_words(*files):
    console = Console(width=120, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(files_table([{**ROW, "file": file} for file in files]))
    return [line.split()[0] for line in console.export_text().splitlines()[1:]]


def test_files_have_their_folder_where_several_have_one_name():
    assert first_words("a/model_fp32.tflite", "a/model_fp16.tflite") == ["model_fp32", "model_fp16"]
    assert first_words("a/model.tflite", "b/model.tflite", "b/x.tflite") == ["a/model", "b/model", "x"]
