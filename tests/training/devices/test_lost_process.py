import subprocess
import sys
from pathlib import Path

import pytest

from keras_vit.training.devices import lost_process

ENDS = {
    "os.abort()": (-6, 1),
    "os.kill(os.getpid(), 9)": (-9, 1),
    "sys.exit(3)": (3, 0),
    "reporter.leave_at_exit(); sys.exit(3)": (1, 0),
    "raise ValueError": (1, 0),
}


@pytest.mark.skipif(sys.platform == "win32", reason="ends of processes are other ones there")
@pytest.mark.parametrize("end", ENDS)
def test_a_process_that_ends_without_a_word_is_reported_and_no_other(end):
    program = f"""
import os, runpy, sys
reporter = runpy.run_path({str(Path(lost_process.__file__))!r})["Reporter"]()
{end}
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr.count("keras-vit: This process of a training was ended")) == ENDS[
        end
    ]
    assert done.stderr.count("--resume") == ENDS[end][1]
