"""Starts a program of this folder: `python -P bootstrap.py PACKAGE PROGRAM.py < JOB.json > RESULT.json`.

PACKAGE is the folder of keras_vit that the caller runs. It is loaded from there and not searched for, so that
the process runs the caller's version, and nothing else in the folder around it can be imported.
"""

import contextlib
import importlib.util
import json
import os
import sys

# TensorFlow and Keras import these where they are installed, for functions that no program here calls:
# half of the time in which such a program starts.
UNUSED = ("jax", "keras", "matplotlib", "pandas", "sklearn")


def main():
    package, program = sys.argv[1:]
    order = json.load(sys.stdin)
    results = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # output of libraries is not a result
    limit_memory(order["memory_limit"])
    sys.modules.update(dict.fromkeys(UNUSED))  # importing them raises ModuleNotFoundError
    _load("keras_vit", os.path.join(package, "__init__.py"), submodule_search_locations=[package])
    result = _load("program", program).run(**order["job"])
    with results:
        json.dump(result, results)


def limit_memory(limit):
    """Limits the address space of this process; an existing lower limit stays."""
    try:
        import resource
    except ImportError:  # Windows
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    lowest = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
    with contextlib.suppress(ValueError):  # macOS refuses any limit
        resource.setrlimit(resource.RLIMIT_AS, (lowest, hard))


def _load(name, path, **options):
    spec = importlib.util.spec_from_file_location(name, path, **options)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
