"""Imports without the log lines that TensorFlow and LiteRT write."""

import contextlib
import os
import sys
import tempfile


@contextlib.contextmanager
def quiet_import():
    """Captures what the block writes to file descriptor 2; shows it when the block fails, not on Ctrl-C."""
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as log:
        os.dup2(log.fileno(), 2)
        try:
            yield
            if sys.modules.get("tensorflow"):  # logs its search for GPUs here rather than later
                sys.modules["tensorflow"].config.list_physical_devices()
        except Exception:
            os.dup2(saved, 2)
            log.seek(0)
            sys.stderr.write(log.read().decode(errors="replace"))
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)


def quiet_engines(model: str):
    """Imports what runs the model at a path, and triggers its log lines where they are not shown."""
    with quiet_import():
        from keras_vit.export.tflite.interpreter import flush_xnnpack_banner

        flush_xnnpack_banner()
        if not model.endswith(".tflite"):
            with contextlib.suppress(ImportError):
                import tensorflow  # noqa: F401
