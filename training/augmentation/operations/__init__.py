"""The augmentations, one module for each. A new one is a module here and its fields in `Augmentation`.

Each module defines:

- `ORDER`: int; operations apply in ascending order.
- `num_uniforms(augmentation)`: returns how many random numbers in [0, 1) an image needs, 0 when it is off.
- `apply(images, labels, uniforms, augmentation)`: returns the changed images and labels of a batch, for
  `uniforms` of shape `(batch, num_uniforms(augmentation))`.
- `check_fits(augmentation, image_shape)`: raises InputError for images that it cannot change. Without: none.
"""

import functools
import importlib
import pkgutil


@functools.cache
def operations():
    """Returns the modules of all augmentations in the order of application, a tuple."""
    modules = (importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__))
    return tuple(sorted(modules, key=lambda module: module.ORDER))
