"""Saving a run, and resuming it with bit-identical results.

A run folder holds two independent things:

- `model.keras`, the best model so far: written by `BestCheckpoint` when an epoch improves on all before it.
- `state/NNNNNNNNNNNN.state`, everything needed to continue: written by `RunState`. The number is the count of
  finished training steps. The last three are kept.

One state file holds, in this order, the model's variables (weights and random seeds), the optimizer's, those
of losses, and within an epoch the running metrics; its JSON header holds the position (epoch, step), the
number of variables, what each stateful callback returns from `state()`, and the state of the generator that
functions of `keras.random` without a seed draw from. It is written to a temporary file, flushed to disk and
renamed, and it begins with its SHA-256: a damaged or truncated file is detected on reading, set aside as
`.damaged`, and the state before it is used (`state_file`).

A state is saved after every epoch, after each `CheckpointInterval` (`--checkpoint-every`), and after the
running step when Ctrl-C or SIGTERM arrives (`triggers`). Data order and augmentation need no state: they are
functions of seed, epoch and step.

Callbacks whose state is saved (`stateful_callbacks`): those that define `state()`, which returns JSON values,
and `restore(state)`, such as `BestCheckpoint` (best rank), `SameData` (hash of the data; others are refused)
and `HistoryFile` (rows so far); from Keras EarlyStopping, ReduceLROnPlateau, SwapEMAWeights and History; and
of other callbacks of users the attributes that a training changes and JSON can hold.

To resume, `fit` builds and compiles the model, `RunState.load` reads the newest readable state,
`RunState.restore` assigns the variables, and `model.fit` starts at the saved epoch; metrics and callbacks are
restored once it has started. Within an epoch, `fit_from` lets `model.fit` count the finished steps without
running them (`resumed_epoch`).
"""

from keras_vit.training.checkpoint.resumed_epoch import executed_together, fit_from, streams_from
from keras_vit.training.checkpoint.run_state import Position, RunState, saved_position
from keras_vit.training.checkpoint.stateful_callbacks import BestCheckpoint, SameData
from keras_vit.training.checkpoint.triggers import CheckpointInterval, Interrupted, Interruption

__all__ = [
    "BestCheckpoint",
    "CheckpointInterval",
    "Interrupted",
    "Interruption",
    "Position",
    "RunState",
    "SameData",
    "executed_together",
    "fit_from",
    "saved_position",
    "streams_from",
]
