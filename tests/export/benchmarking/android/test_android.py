"""`keras-vit benchmark --android` against a stand-in for adb that replays the real tool's words.

No phone takes part: the stand-in is a program named adb on the PATH.
"""

import functools
import http.server
import json
import sys
import threading

import pytest
from tool_logs import CPU, GPU_AND_NPU, GPU_IN_PART, NO_GPU, NPU_IN_PART

from keras_vit import ConditionError, InputError
from keras_vit.__main__ import main
from keras_vit.export.benchmarking.android.output import parsed
from keras_vit.export.benchmarking.android.tool import find_tool
from keras_vit.export.verification.latencies import read_latencies

ADB = """\
#!{python}
import json, os, sys
place = os.path.dirname(os.path.abspath(__file__))
state = json.load(open(os.path.join(place, "state.json")))
words = sys.argv[1:]
with open(os.path.join(place, "calls.txt"), "a") as calls:
    calls.write(" ".join(words) + "\\n")
if words == ["devices"]:
    for line in state.get("before", ()):
        print(line, file=sys.stderr, flush=True)
    print("List of devices attached")
    for serial, word in state["devices"].items():
        print(f"{{serial}}\\t{{word}}")
    print()
    sys.exit()
assert words[0] == "-s" and words[1] in state["devices"]
if os.path.exists(os.path.join(place, "unplugged")):
    sys.exit(f"adb: device '{{words[1]}}' not found")
if words[2] == "push":
    if not os.path.exists(words[3]):
        sys.exit(f"adb: error: cannot stat '{{words[3]}}'")
    print(f"{{words[3]}}: 1 file pushed")
elif words[3] == "getprop":
    print(state["properties"].get(words[4], ""))
elif words[3].endswith("/benchmark_model"):
    on = "gpu" if "--use_gpu=true" in words else "npu" if "--use_nnapi=true" in words else "cpu"
    if on == state.get("unplugged_in"):
        open(os.path.join(place, "unplugged"), "w").close()
        sys.exit(f"adb: device '{{words[1]}}' not found")
    print(state["logs"][on], end="")
    sys.exit(state.get("code", 0))
"""
PIXEL = {
    "ro.product.model": "Pixel 4a",
    "ro.build.version.release": "12",
    "ro.product.cpu.abi": "arm64-v8a",
    "ro.soc.model": "SM7150",
}
STATE = {"devices": {"0A1B": "device"}, "properties": PIXEL}
LOGS = {"cpu": CPU, "gpu": GPU_AND_NPU, "npu": GPU_AND_NPU}


@pytest.fixture
def phone(tmp_path, monkeypatch):
    """Makes a stand-in for adb with a state; returns how to call the command, and the calls of adb so far."""
    place = tmp_path / "bin"
    place.mkdir()
    adb = place / "adb"
    adb.write_text(ADB.format(python=sys.executable))
    adb.chmod(0o755)
    monkeypatch.setenv("PATH", str(place))
    (tmp_path / "tool").write_bytes(b"\x7fELF and more")
    (tmp_path / "model_fp32.tflite").write_bytes(b"    TFL3" + bytes(92))

    def run(*words, file="model_fp32.tflite", **state):
        (place / "state.json").write_text(json.dumps({**STATE, "logs": LOGS, **state}))
        tool = ("--tool", str(tmp_path / "tool"))
        return main(["benchmark", str(tmp_path / file), "--android", *tool, *words])

    run.calls = lambda: (place / "calls.txt").read_text().splitlines()
    run.folder = tmp_path
    return run


def test_cpu_gpu_and_npu_are_measured_and_a_silent_fall_back_is_told(phone, capsys):
    assert phone("--threads", "4", "--json", str(phone.folder / "phone.json")) == 0
    cpu, gpu, npu = json.loads((phone.folder / "phone.json").read_text())
    assert cpu["processor"] == "cpu" and cpu["latency_ms"] == 576.856 and cpu["p95_ms"] == 1373.207
    assert cpu["init_ms"] == 102.32 and cpu["memory_mb"] == 99.2031 and cpu["num_threads"] == 4
    assert gpu["latency_ms"] == 307.968 and gpu["taken"] == gpu["nodes"] == 49 and not gpu["fell_back"]
    assert npu["fell_back"] and npu["taken"] == 0
    assert cpu["phone"] == {"model": "Pixel 4a", "android": "12", "abi": "arm64-v8a", "soc": "SM7150"}
    shown = capsys.readouterr()
    assert (
        "fell back to the CPU" in shown.out
        and "49 of 49" in shown.out
        and "Pixel 4a, Android 12" in shown.out
    )
    (line,) = [line for line in shown.err.splitlines() if "warning" in line]
    assert "model_fp32.tflite on the NPU: LiteRT fell back to the CPU" in line
    runs = [call for call in phone.calls() if "--graph=" in call]
    assert all("--num_threads=4 --num_runs=30" in call for call in runs)
    assert phone.calls()[-1].endswith("rm -rf /data/local/tmp/keras_vit")


def test_parts_of_a_run_are_told():
    npu = parsed(NPU_IN_PART, "npu")
    assert npu["fell_back"] and npu["latency_ms"] == 12.1676 and npu["nodes"] is None
    gpu = parsed(GPU_IN_PART, "gpu")
    assert (gpu["taken"], gpu["nodes"], gpu["fell_back"]) == (29, 65, True)
    cpu = parsed(NO_GPU, "gpu")
    assert cpu["fell_back"] and cpu["latency_ms"] == pytest.approx(74.4816) and cpu["memory_mb"] == 64.8633


BAD_PHONES = {
    "no phone": ({"devices": {}}, "adb sees none"),
    "several": ({"devices": {"B": "device", "A": "device"}}, "adb sees A, B. Choose one: --serial A"),
    "unauthorized": ({"devices": {"A": "unauthorized"}}, "has not authorised this computer"),
    "offline": ({"devices": {"A": "offline"}}, "is offline"),
}


@pytest.mark.parametrize(("state", "words"), BAD_PHONES.values(), ids=BAD_PHONES)
def test_a_phone_that_cannot_be_used_is_one_line(state, words, phone, capsys):
    assert phone(**state) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert words in line


def test_one_of_several_phones_is_named(phone, capsys):
    devices = {"A": "device", "B": "unauthorized"}
    assert phone("--serial", "A", "--on", "cpu", devices=devices) == 0
    assert phone("--serial", "C", devices=devices) == 2
    assert "Expected a phone C, adb sees A, B" in capsys.readouterr().err


def test_what_adb_says_when_its_server_starts_is_no_phone(phone, capsys):
    before = ["* daemon not running; starting now at tcp:5037", "* daemon started successfully"]
    assert phone("--on", "cpu", before=before) == 0
    assert phone(devices={}, before=before) == 2
    assert "adb sees none" in capsys.readouterr().err
    wireless = {"adb-0A1B (2)._adb-tls-connect._tcp": "device"}
    assert phone("--on", "cpu", devices=wireless, before=before) == 0


def test_a_phone_that_is_unplugged_meanwhile_is_one_line(phone, capsys):
    assert phone("--json", str(phone.folder / "phone.json"), unplugged_in="gpu") == 2
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert "adb: device '0A1B' not found" in line
    assert not (phone.folder / "phone.json").exists()


def test_a_processor_that_was_asked_for_and_is_not_there_is_bad_input(phone, capsys):
    logs = {**LOGS, "gpu": NO_GPU.replace("XNNPACK delegate created.\n", "")}
    assert phone("--on", "npu", logs=logs) == 2
    assert "Pixel 4a has no NPU that LiteRT can use" in capsys.readouterr().err
    error = "ERROR: Can not open OpenCL library on this device\nERROR: Failed to apply GPU delegate.\n"
    assert phone("--on", "gpu", logs={**LOGS, "gpu": error}, code=1) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "has no GPU" in line and "Failed to apply GPU delegate" in line
    assert phone(logs={**LOGS, "gpu": error}) == 0  # the others are measured
    assert "did not run on the GPU" in capsys.readouterr().err


def test_bad_files_and_options_are_one_line(phone, monkeypatch, capsys):
    (phone.folder / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0 no model")
    assert phone(file="photo.jpg") == 2
    assert "is not a TFLite file" in capsys.readouterr().err
    (phone.folder / "tool").write_bytes(b"<html>")
    assert phone() == 2
    assert "is not LiteRT's benchmark_model" in capsys.readouterr().err
    assert main(["benchmark", str(phone.folder / "model_fp32.tflite"), "--serial", "A"]) == 2
    assert "--serial is for --android" in capsys.readouterr().err
    monkeypatch.setenv("PATH", str(phone.folder))
    assert phone() == 2
    assert "Install Android's platform tools" in capsys.readouterr().err


@pytest.fixture
def source(tmp_path):
    """A server with the published tool."""
    served = tmp_path / "served"
    served.mkdir()
    (served / "android_aarch64_benchmark_model").write_bytes(b"\x7fELF the tool")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=served)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_published_tool_is_downloaded_once(source, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("KERAS_VIT_CACHE", raising=False)
    found = find_tool(None, "arm64-v8a", source)
    assert found.read_bytes() == b"\x7fELF the tool"
    assert f"{found.name}, 0.0 MB, once, to {found}" in capsys.readouterr().err
    assert find_tool(None, "arm64-v8a", "http://127.0.0.1:9") == found
    with pytest.raises(InputError, match="File not found"):
        find_tool(None, "armeabi-v7a", source)
    with pytest.raises(InputError, match="no published tool for a phone of mips"):
        find_tool(None, "mips", source)
    assert [path.name for path in (tmp_path / "cache" / "keras_vit").iterdir()] == [
        "android_aarch64_benchmark_model"
    ]


def test_auto_takes_the_fastest_run_that_was_what_was_asked_for(phone):
    phone("--json", str(phone.folder / "phone.json"))
    phone_latencies = read_latencies(phone.folder / "phone.json")
    row = {"file": "model_fp32.tflite", "size": 100}
    phone_latencies.time(row)
    assert row["latency_ms"] == 307.968 and row["measured_on"] == "Pixel 4a, GPU"
    with pytest.raises(ConditionError, match="was not measured on Pixel 4a"):
        phone_latencies.time({"file": "model_int4.tflite", "size": 100})
    with pytest.raises(ConditionError, match="measure files of this model"):
        phone_latencies.time({"file": "model_fp32.tflite", "size": 200})
    (phone.folder / "other.json").write_text('[{"file": "model.tflite", "median_ms": 3}]')
    with pytest.raises(InputError, match="has no latencies of a phone"):
        read_latencies(phone.folder / "other.json")
