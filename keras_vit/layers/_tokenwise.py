"""Applies a layer to every token as to one row of a matrix."""

from keras import ops


def tokenwise(layer, x):
    """Calls `layer` on `(batch * length, dim)` and returns `(batch, length, ...)`.

    A matrix product of two matrices is one call into the backend; of a 3-D tensor and a matrix it is a
    batched product with a slower gradient. `reshape` moves no data.
    """
    *leading, dim = x.shape
    if len(leading) != 2:
        return layer(x)
    y = layer(ops.reshape(x, (-1, dim)))
    length = x.shape[1] if x.shape[1] is not None else ops.shape(x)[1]
    return ops.reshape(y, (-1, length, y.shape[-1]))
