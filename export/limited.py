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
        resource.setrlimit(resource.RLIMIT_AS, (int(limit), hard))
    os.execv(sys.executable, [sys.executable, "-P", *program])


if __name__ == "__main__":
    main()
