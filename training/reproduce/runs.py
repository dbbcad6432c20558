"""Where the runs of an experiment lie."""

import re
from pathlib import Path


def run_dir(runs, configuration, seed):
    """Returns the run folder of a configuration and a seed, below the folder `runs`."""
    slug = re.sub(r"[^a-z0-9.]+", "-", configuration.label.lower()).strip("-")
    return Path(runs) / f"{slug}-seed{seed}"
