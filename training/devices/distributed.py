"""Several devices of one or more machines on JAX: `keras.distribution`."""

import contextlib
import os
from pathlib import Path

import jax
import keras
import numpy as np

from keras_vit.errors import ConditionError, InputError
from keras_vit.training.checkpoint.state_file import pack_state, unpack_state
from keras_vit.training.data.order import Share
from keras_vit.training.devices.engine import PROCESSES, Engine, check_available, check_shared
from keras_vit.training.devices.lost_process import LOST, Reporter

# Split as in https://arxiv.org/abs/1909.08053, section 3: the first layer by columns, the next one by rows.
SHARED = {
    r".*/(qkv|expansion)/kernel": (None, "model"),
    r".*/(qkv|expansion)/bias": ("model",),
    r".*/(attention|mlp)/projection/kernel": ("model", None),
    r"(.*/)?conv_[^/]*/kernel": (None, None, None, "model"),
    r"(.*/)?dense[^/]*/kernel": (None, "model"),
}
_LOST = ("Gloo", "NCCL", "coordination service", "heartbeat")  # in JAX's words for a lost connection


def open_distributed(parts, sharing):
    """Opens devices on JAX; see `keras_vit.training.devices.open_engine`."""
    _join_processes()
    names = keras.distribution.list_devices()
    wanted = parts * sharing if parts else len(names)
    kind = names[0].split(":")[0].upper()
    simulate = "XLA_FLAGS=--xla_force_host_platform_device_count=N splits the CPU into N"
    check_available(wanted, len(names), kind, simulate)
    processes = jax.process_count()
    if processes > 1 and (wanted < len(names) or sharing > 1):
        raise InputError(
            f"Expected --devices all where {processes} processes train together, received "
            f"{wanted if sharing == 1 else f'{parts}x{sharing}'} of {len(names)} devices."
        )
    if wanted == 1:
        return Engine()
    return Distributed(np.reshape(names[:wanted], (-1, sharing)))


class Distributed(Engine):
    """Each device, or group of devices sharing the model, processes a part of each batch."""

    def __init__(self, names: np.ndarray):  # of the devices in Keras, (num_parts, sharing)
        self.num_parts, self.sharing = names.shape
        self.share = Share(jax.process_index(), jax.process_count())
        self.reporter = Reporter() if self.share.count > 1 else None
        mesh = keras.distribution.DeviceMesh(names.shape, ["batch", "model"], names)
        layouts = keras.distribution.LayoutMap(mesh)
        layouts.update(SHARED if self.sharing > 1 else {})
        self.distribution = _Distribution(
            layout_map=layouts, batch_dim_name="batch", auto_shard_dataset=False
        )

    def check(self, task):
        check_shared(task, self.num_parts)

    @contextlib.contextmanager
    def scope(self):
        with self.distribution.scope():
            try:
                yield
            except (RuntimeError, ValueError) as error:
                if self.share.count > 1 and any(word in str(error) for word in _LOST):
                    self.reporter.leave_at_exit()
                    raise ConditionError(LOST) from error
                raise

    def prepare(self, model):
        if self.sharing > 1 and not any(map(self.distribution.is_shared, model.trainable_variables)):
            raise InputError(
                f"{self.sharing} devices cannot share this model: none of its layers' sizes is divisible by "
                f"{self.sharing}. Use --devices {self.num_parts}."
            )
        return model

    def run_dir(self, path):
        path = Path(path)
        return path.with_name(f"{path.name}-process{self.share.index}") if self.share.index else path

    def shared_state(self, saved):
        """Sends the state of the first process to all: others may have saved an earlier one."""
        if self.share.count == 1:
            return saved
        from jax.experimental.multihost_utils import broadcast_one_to_all

        content = np.frombuffer(pack_state(*saved) if saved else b"", np.uint8)
        length = np.frombuffer(len(content).to_bytes(8, "little"), np.uint8)
        length = int.from_bytes(broadcast_one_to_all(length).tobytes(), "little")
        if self.share.index:
            content = np.zeros(length, np.uint8)
        content = broadcast_one_to_all(content).tobytes()
        return unpack_state(content, "The state of the first process") if content else None

    def stop_signal(self, number):
        """Makes all processes stop after the same step: none can train alone."""
        if self.share.count == 1:
            return number
        from jax.experimental.multihost_utils import process_allgather

        return int(process_allgather(np.int32(number or 0)).max()) or None


class _Distribution(keras.distribution.ModelParallel):
    """Splits variables whose sizes divide evenly; each device holds the others whole."""

    def get_variable_layout(self, variable):
        layout = super().get_variable_layout(variable)
        sizes = dict(zip(self.device_mesh.axis_names, self.device_mesh.shape, strict=True))
        for size, axis in zip(variable.shape, layout.axes, strict=True):
            if axis is not None and size % sizes[axis]:
                return keras.distribution.TensorLayout([None] * len(variable.shape), self.device_mesh)
        return layout

    def is_shared(self, variable):
        return any(self.get_variable_layout(variable).axes)


def _join_processes():
    """Connects to the other processes, if Keras's environment variables name any."""
    if PROCESSES not in os.environ or jax.distributed.is_initialized():
        return
    try:
        keras.distribution.initialize()
    except (RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            "The processes cannot connect as configured by KERAS_DISTRIBUTION_JOB_ADDRESSES, _NUM_PROCESSES "
            f"and _PROCESS_ID: {reason}"
        ) from error
