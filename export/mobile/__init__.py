"""The mobile form of a trained model: the same function, written in operators that run fast on a phone.

`mobile_form(model)` walks through the graph of a functional or Sequential model and calls, for each layer,
the handler of its type: a function `(layer, x) -> y` that computes the layer with weights as constants. A
layer without a handler, or with an option that its handler does not support, is called as is.

A handler may return a pending value (`pending.py`) instead of a tensor: a computation that the next layer can
fold into its own weights, such as the scale of a layer normalization before a dense layer. `materialize(x)`
computes it; every handler does so first, unless it folds the value.

To add a layer, write its handler in the file of its kind, registered by `@handles(TheLayer)`:

- `simple_layers.py`: layers called as is, and layers that do nothing at inference,
- `dense.py`, `convolution.py`, `normalization.py`, `tokens.py`: one layer each function,
- `attention.py`, `transformer.py`: the parts of a transformer, and the encoder that connects them,
- `hybrids.py`: the layers of mobile models, such as LeViT and RepViT.

To add an option to a layer, compute it in the layer's handler and add it to the options that the handler
knows (`@handles(..., options=...)`). A layer in which any other option is set is called as is.
"""

from keras_vit.export.mobile import (  # noqa: F401  each registers its handlers
    attention,
    convolution,
    dense,
    hybrids,
    normalization,
    simple_layers,
    tokens,
    transformer,
)
from keras_vit.export.mobile.form import MobileForm, mobile_form

__all__ = ["MobileForm", "mobile_form"]
