"""Job description for one worker process."""

import dataclasses
from collections.abc import Callable

from keras_vit.training.recipe import Recipe
from keras_vit.training.tuning.costs import NO_LIMITS, Limits
from keras_vit.training.tuning.state.records import TrialRecord


@dataclasses.dataclass(frozen=True)
class Job:
    """What a process of a search does, and its share of the machine. It reaches the process by pickling.

    Attributes:
        recipe: Recipe, with the trial's seed.
        run_dir: str, the folder of the run, which an earlier process may have started.
        record: TrialRecord of the trial, or None for other work.
        limits: Limits.
        measure: function from a model, an image, `reference=` and `keep=` to a dict of figures of the
            exported file, such as `keras_vit.export.footprint.footprint`; None when nothing is exported.
        reference: dict of the reference model's figures and its `file`, or None.
        keep: str, where to keep the exported file, or None.
        data_dir: str or None, where TFDS keeps its data.
        cpus: tuple of int, which processors it may use; empty for all.
        gpu: str, as in CUDA_VISIBLE_DEVICES, or None to leave that as it is.
        threads: int, of TensorFlow; 0 for as many as there are processors.
    """

    recipe: Recipe
    run_dir: str
    record: TrialRecord | None = None
    limits: Limits = NO_LIMITS
    measure: Callable | None = None
    reference: dict | None = None
    keep: str | None = None
    data_dir: str | None = None
    cpus: tuple = ()
    gpu: str | None = None
    threads: int = 0
