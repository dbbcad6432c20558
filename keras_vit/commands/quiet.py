"""Imports without the log lines that TensorFlow and LiteRT write."""

import contextlib
import sys
import tempfile

from keras_vit.io.files import errors_to


@contextlib.contextmanager
def quiet_import():
    """Captures what the block writes to file descriptor 2; shows it when the block fails, not on Ctrl-C."""
    with tempfile.TemporaryFile() as log:
        try:
            with errors_to(log):
                yield
                if sys.modules.get("tensorflow"):  # logs its search for GPUs here rather than later
                    sys.modules["tensorflow"].config.list_physical_devices()
        except Exception:
            log.seek(0)
            sys.stderr.write(log.read().decode(errors="replace"))
            raise


def quiet_engines(model: str):
    """Imports what runs the model at a path, and triggers its log lines where they are not shown."""
    with quiet_import():
        from keras_vit.export.tflite.interpreter import flush_xnnpack_banner

        flush_xnnpack_banner()
        if not model.endswith(".tflite"):
            with contextlib.suppress(ImportError):
                import tensorflow  # noqa: F401
