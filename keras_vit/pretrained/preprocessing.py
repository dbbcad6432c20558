"""What was done to the images that weights were trained on, and must be done again."""

from typing import NamedTuple

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Preprocessing(NamedTuple):
    """From a decoded image to the model's input.

    The first four are for `resize_and_crop`; mean and std are inside the model.
    """

    image_size: tuple = (224, 224)  # height, width in pixels
    crop_ratio: float = 1.0  # of the resized image that the centre crop keeps
    crop_mode: str = "center"  # or "squash" (both sides are resized), "border" (the rest is filled)
    interpolation: str = "bicubic"  # as Pillow has them: antialiased
    mean: tuple = (0.5, 0.5, 0.5)  # of pixels in [0, 1]
    std: tuple = (0.5, 0.5, 0.5)
