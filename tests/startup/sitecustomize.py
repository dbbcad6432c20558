"""What each Python that a test starts runs first: TensorFlow and Keras are imported in 60 % of the time.

They import these packages where they are installed, for functions that no such program calls. Later imports
of them find them.
"""

import os
import sys

FOR_NOTHING = {"tensorflow": {"jax"}, "keras": {"matplotlib", "pandas", "sklearn"}}
if os.environ.get("KERAS_BACKEND", "tensorflow") == "tensorflow":
    FOR_NOTHING["keras"].add("jax")


class LeftOut:
    """Finds none of these packages while the one that would take them is being imported."""

    def find_spec(self, name, path=None, target=None):
        for importer, packages in FOR_NOTHING.items():
            spec = getattr(sys.modules.get(importer), "__spec__", None)
            if name in packages and getattr(spec, "_initializing", False):
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def started_to_convert():
    return [os.path.basename(word) for word in sys.orig_argv[1:]][1::2] == ["bootstrap.py", "convert.py"]


if __name__ == "sitecustomize":
    sys.meta_path.insert(0, LeftOut())
    address = os.environ.get("KERAS_VIT_CONVERTER", "")
    if os.path.exists(address) and started_to_convert():
        import converter

        converter.request(address, sys.orig_argv[2:])
