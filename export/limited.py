"""Runs a Python program with a limit on its memory: `python limited.py BYTES PROGRAM ARGUMENT...`."""

import contextlib
import os
import resource
import sys


def main():
    limit, *program = sys.argv[1:]
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    lowest = int(limit) if hard == resource.RLIM_INFINITY else min(int(limit), hard)
    with contextlib.suppress(ValueError):  # macOS refuses any limit
        resource.setrlimit(resource.RLIMIT_AS, (lowest, hard))
    os.execv(sys.executable, [sys.executable, "-P", *program])


if __name__ == "__main__":
    main()
