"""Rounds float values as a quantized TFLite file does."""

import dataclasses

import numpy as np
from ai_edge_litert import schema_py_generated as schema

_LIMITS = {
    schema.TensorType.INT8: (-128, 127),
    schema.TensorType.UINT8: (0, 255),
    schema.TensorType.INT16: (-32768, 32767),
}
_STORED = {
    schema.TensorType.FLOAT32: "float32",
    schema.TensorType.INT8: "int8",
    schema.TensorType.UINT8: "uint8",
    schema.TensorType.INT16: "int16",
    schema.TensorType.INT32: "int32",
    schema.TensorType.INT64: "int64",
}


@dataclasses.dataclass(frozen=True)
class Rounding:
    """Rounds values to the numbers that a tensor of the file can have."""

    scale: float
    zero_point: int
    limits: tuple[int, int]

    @classmethod
    def of(cls, tensor):
        """Returns the rounding of a `TensorT` of activations, or None if it is float."""
        if tensor.type not in _LIMITS:
            return None
        quantization = tensor.quantization
        return cls(float(quantization.scale[0]), int(quantization.zeroPoint[0]), _LIMITS[tensor.type])

    @classmethod
    def at_end(cls, detail):
        """Returns the rounding of an input or output, from the Interpreter's detail of it, or None.

        Bytes (uint8) have none: they are taken as they are.
        """
        scale, zero_point = detail["quantization"]
        kind = np.dtype(detail["dtype"])
        if kind.kind != "i" or not scale:
            return None
        return cls(float(scale), int(zero_point), (np.iinfo(kind).min, np.iinfo(kind).max))

    def __call__(self, values):
        return self.decoded(self.encoded(values))

    def encoded(self, values):
        """Returns the whole numbers for values, as floats."""
        return np.clip(np.rint(values / self.scale) + self.zero_point, *self.limits)

    def decoded(self, whole):
        """Returns the float32 values of whole numbers."""
        return ((np.asarray(whole, "float64") - self.zero_point) * self.scale).astype("float32")


def dynamically_rounded(values):
    """Rounds each row (last axis) to 256 numbers from its smallest to its largest value, and zero."""
    low, high = (pick(values, axis=-1, keepdims=True) for pick in (np.min, np.max))
    low, high = np.minimum(low, 0), np.maximum(high, 0)
    scale = np.maximum(high - low, 1e-12) / 255
    start = np.rint(low / scale)
    return ((np.clip(np.rint(values / scale), start, start + 255)) * scale).astype("float32")


def stored(model, tensor):
    """Returns the values of a constant `TensorT` as the file has them."""
    data = np.asarray(model.buffers[tensor.buffer].data, "uint8")
    return data.view(_STORED[tensor.type]).reshape(tensor.shape)


def dequantized(model, tensor):
    """Returns the float32 values of a constant `TensorT` of a quantized `ModelT`."""
    quantization = tensor.quantization
    if tensor.type == schema.TensorType.INT4:
        data = np.asarray(model.buffers[tensor.buffer].data, "uint8").view("int8")
        values = np.stack([np.left_shift(data, 4) >> 4, data >> 4], axis=-1).ravel()
        values = values[: np.prod(tensor.shape)].reshape(tensor.shape)
    else:
        values = stored(model, tensor)
    values = values - _along(quantization, quantization.zeroPoint, tensor)
    return (values * _along(quantization, quantization.scale, tensor)).astype("float32")


def _along(quantization, numbers, tensor):
    """Scales or zero points, one or one for each channel, as they broadcast to the tensor's values."""
    shape = np.ones(len(tensor.shape), int)
    if len(numbers) > 1:
        shape[quantization.quantizedDimension] = -1
    return np.asarray(numbers).reshape(shape)
