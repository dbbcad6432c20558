"""What the families of mobile models in the timm library have in common."""

from keras_vit.pretrained.layouts import Layout
from keras_vit.pretrained.mapping import Row

# torch's (outputs, inputs, height, width); of dense layers (outputs, inputs).
CONVOLUTION = Layout(
    lambda array, shape: array.reshape(*array.shape[:2], *shape[:2]).transpose(2, 3, 1, 0), None
)
# torch's (channels, 1, height, width).
DEPTHWISE = Layout(lambda array, shape: array.transpose(2, 3, 0, 1), None)
_NORM = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}
UNUSED = (r"num_batches_tracked$",)


def stages_of(tensors, weight):
    """Returns two tuples by stage: the size of a weight that is once in each block, and the blocks."""
    stages = range(len({name.split(".")[1] for name in tensors if name.startswith("stages.")}))
    sizes = tuple(tensors.size(f"stages.{stage}.blocks.0.{weight}") for stage in stages)
    found = [name.split(".")[1] for name in tensors if ".blocks." in name and name.endswith(f".{weight}")]
    return sizes, tuple(found.count(str(stage)) for stage in stages)


def batch_norm(ours, theirs):
    """Returns the rows of a batch normalization."""
    return [Row(f"{ours}/{name}", f"{theirs}.{other}") for name, other in _NORM.items()]


def convolution(place, theirs, kernel="c"):
    """Returns the rows of a convolution and its normalization, whose layers end in `place`."""
    kernel = Row(f"conv_{place}/kernel", f"{theirs}.{kernel}.weight", CONVOLUTION)
    return [kernel, *batch_norm(f"norm_{place}", f"{theirs}.bn")]
