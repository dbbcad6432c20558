"""What `benchmark_model` prints about one run: times, memory, and which operators a delegate took."""

import re

DELEGATES = {  # of a processor: the name in the tool's sentences, and that of the delegate in LiteRT's
    "cpu": ("XNNPACK", "XNNPack"),
    "gpu": ("GPU", "Gpu"),
    "npu": ("NNAPI", "Nnapi"),
}
_TIMES = re.compile(r"Inference timings in us: Init: ([\d.e+]+),.*Inference \(avg\): ([\d.e+]+)")
_RUNS = re.compile(r"^.*count=\d+ .*\bmedian=([\d.e+]+) p95=([\d.e+]+)", re.MULTILINE)
_MEMORY = re.compile(r"(?:Memory|Peak memory) footprint.*\(MB\): init=[\d.e+]+ overall=([\d.e+]+)")
_TAKEN = re.compile(
    r"Replacing (\d+) out of (\d+) node\(s\) with delegate \(TfLite(\w+?)Delegate(?:V2)?\) node, "
    r"yielding \d+ partitions(?: for (?:subgraph (\d+)|the whole graph))?"
)
_APPLIED = "Explicitly applied {} delegate, and the model graph will be (completely|partially) executed"
_NPUS = re.compile(r"NNAPI accelerators available: \[(.*)\]")
_REFERENCE = "nnapi-reference"  # runs on the CPU
_ERROR = re.compile(r"(?:^|\s)(?:ERROR|FATAL|error):?\s+(.*)|.*(unsupported on this platform.*|Failed to .*)")


def parsed(text: str, processor: str) -> dict:
    """Returns the figures of a run on `"cpu"`, `"gpu"` or `"npu"`.

    Returns:
        Dict of `latency_ms` (median, of older tools the mean), `mean_ms`, `p95_ms`, `init_ms`, `memory_mb`,
        `nodes` (operators of the file), `taken` (those that the processor's delegate took), `fell_back`
        (whether any operator, or all, ran on the CPU instead), and `failure`; what is not known is None.

    Example:
        >>> figures = parsed("Inference timings in us: Init: 9, Inference (avg): 5e3", "cpu")
        >>> figures["latency_ms"], figures["fell_back"]
        (5.0, False)
    """
    times, runs, memory = _TIMES.search(text), _RUNS.findall(text), _MEMORY.search(text)
    nodes, taken = _nodes(text, processor)
    mean = times and _ms(times[2])
    row = {
        "latency_ms": _ms(runs[-1][0]) if times and runs else mean,
        "mean_ms": mean,
        "p95_ms": _ms(runs[-1][1]) if times and runs else None,
        "init_ms": times and _ms(times[1]),
        "memory_mb": memory and float(memory[1]),
        "nodes": nodes,
        "taken": taken,
        "fell_back": processor != "cpu" and not _is_whole(text, processor),
        "failure": None,
    }
    if not times:
        row["failure"] = _reason(text)
    return row


def _is_whole(text, processor):
    """Whether the tool says that the processor ran the whole file: where it says nothing, the CPU did."""
    name, _ = DELEGATES[processor]
    applied = re.search(_APPLIED.format(name), text)
    npus = _NPUS.search(text)
    if processor == "npu" and npus and set(filter(None, npus[1].split(","))) <= {_REFERENCE}:
        return False
    return applied is not None and applied[1] == "completely"


def _nodes(text, processor):
    """Operators of the file, and those that the processor's delegate took: None where the tool is silent."""
    graphs, taken = {}, 0
    for count, total, delegate, graph in _TAKEN.findall(text):
        graphs.setdefault(graph, int(total))  # the first delegate sees all operators
        taken += int(count) * (delegate == DELEGATES[processor][1])
    return (sum(graphs.values()), taken) if graphs else (None, None)


def _ms(microseconds):
    return float(microseconds) / 1000


def _reason(text):
    """The last line that reports an error, else the last line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if _ERROR.search(line)]
    return (errors or lines or ["the tool printed nothing"])[-1]
