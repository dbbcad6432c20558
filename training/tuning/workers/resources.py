"""Which processors and which GPU each worker gets."""

import os
import subprocess

from keras_vit.errors import InputError


def processors() -> tuple[int, ...]:
    """Returns the numbers of the processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(os.cpu_count() or 1))


def gpus() -> tuple[str, ...]:
    """Returns the names in CUDA_VISIBLE_DEVICES of the GPUs that this process may use, without using them."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return tuple(name for name in visible.split(",") if name.strip() not in ("", "-1"))
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return ()
    return tuple(str(index) for index, _ in enumerate(listed.stdout.splitlines()))


def check_workers(workers: int):
    """Raises an InputError unless there is a GPU for each worker, or a processor where there are no GPUs."""
    if workers < 1:
        raise InputError(f"Expected at least 1 worker, received {workers}.")
    devices, kind = (gpus(), "GPUs") if gpus() else (processors(), "processors")
    if workers > len(devices):
        raise InputError(
            f"Expected at most {len(devices)} workers, one for each of the {kind} here, received {workers}."
        )


def threads_each(workers: int) -> int:
    """Returns how many threads TensorFlow gets in each worker."""
    share = max(1, len(processors()) // workers)
    return min(share, int(os.environ.get("TF_NUM_INTRAOP_THREADS") or share))


def share_of(number: int, workers: int) -> tuple[tuple[int, ...], str | None]:
    """Returns the processors, and the GPU or None, of one worker."""
    available, devices = processors(), gpus()
    first, last = (len(available) * n // workers for n in (number, number + 1))
    return available[first:last], devices[number] if devices else None
