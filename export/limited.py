"""Runs a Python program with a limit on its memory: `python limited.py BYTES PROGRAM ARGUMENT...`."""

import os
import sys


def main():
    limit, *program = sys.argv[1:]
    try:
        import resource
    except ImportError:  # Windows has no such limit
        pass
    else:
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        lowest = int(limit) if hard == resource.RLIM_INFINITY else min(int(limit), hard)
        resource.setrlimit(resource.RLIMIT_AS, (lowest, hard))
    os.execv(sys.executable, [sys.executable, "-P", *program])


if __name__ == "__main__":
    main()
