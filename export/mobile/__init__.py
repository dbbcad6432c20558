"""The form of a trained model that runs fastest on a phone: the same function in other operators.

Each kind of layer has its file here, with a function from the layer and its input to its output, entered
in a table by `@rewrites(TheLayer)`. A new layer's mobile form is such a file, imported below. What a
function takes and gives is told in `pending.py`; a layer without an entry is called as it is.
"""

from keras_vit.export.mobile import (  # noqa: F401  each enters its layers in the table
    attention_pooling,
    batch_norm,
    class_token,
    convolution,
    dense,
    embedding,
    layer_norm,
    layer_scale,
    patch_embedding,
    pooling,
    position_embedding,
    rescaling,
    rotary_position_embedding,
    token_pooling,
    training_only,
    transformer_encoder,
    unchanged,
)
from keras_vit.export.mobile.form import MobileForm, mobile_form

__all__ = ["MobileForm", "mobile_form"]
