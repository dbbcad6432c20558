"""What a process of a search is told."""

import dataclasses

from keras_vit.training.recipe import Recipe
from keras_vit.training.tuning.costs import NO_LIMITS, Limits


@dataclasses.dataclass(frozen=True)
class Job:
    """All that the process of a trial is told.

    Attributes:
        recipe: Recipe, with the trial's seed.
        run_dir: str, of the trial's run, which an earlier process may have begun.
        first_epoch: int, the first epoch of the recipe, from 1, that belongs to this trial.
        until_epoch: int, epochs of the recipe after which to pause, or None for all.
        footprint: dict, what was measured before; empty when it has to be measured.
        limits: Limits.
        measure: str such as `"keras_vit.export.footprint:footprint"`, a function from a model and an image to
            a dict of figures of the exported file; None where there is no such file.
        reference: dict of the reference model's figures and its `file`, or None.
        data_dir: str or None, where TFDS keeps its data.
        cpus: tuple of int, which processors it may use; empty for all.
        threads: int, of TensorFlow; 0 for as many as there are processors.
        trial: str, the trial's id.
        values: dict, of the fields that vary.
        keep: str, where to keep the exported file, or None.
        gpu: str, of CUDA_VISIBLE_DEVICES, or None to leave it.
    """

    recipe: Recipe
    run_dir: str
    first_epoch: int = 1
    until_epoch: int | None = None
    footprint: dict = dataclasses.field(default_factory=dict)
    limits: Limits = NO_LIMITS
    measure: str | None = None
    reference: dict | None = None
    data_dir: str | None = None
    cpus: tuple = ()
    threads: int = 0
    trial: str = ""
    values: dict = dataclasses.field(default_factory=dict)
    keep: str | None = None
    gpu: str | None = None
