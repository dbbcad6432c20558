"""What all tests have in common: the decoded images that they keep disappear with them."""

import os
import tempfile

_CACHE = tempfile.TemporaryDirectory(prefix="keras_vit-tests-")
os.environ["KERAS_VIT_CACHE"] = _CACHE.name  # also of the commands that tests start
