"""The scripts of completion, sourced by real shells in which a line and a tab are typed."""

import os
import select
import shutil
import time

import pytest

from keras_vit.__main__ import main

pty = pytest.importorskip("pty", reason="there are no terminals of this kind on Windows")
pytest.importorskip("shtab", reason='pip install "keras-vit-mobile[completion]"')

SHELLS = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "tcsh": ["tcsh", "-f", "-i"],
}
COMPLETED = {
    "ev": "evaluate",
    "list re": "list recipes",
    "train vit_d": "train vit_digits",
    "reproduce char": "reproduce char_names",
    "export --max-d": "export --max-drop",
    "export runs --variant dyn": "export runs --variant dynamic_int8",
    "export runs --variant=dyn": "export runs --variant=dynamic_int8",
    "export runs --max-drop=1 --variant dyn": "export runs --max-drop=1 --variant dynamic_int8",
    "export ru": "export runs",
    "train vit_digits --run-dir ru": "train vit_digits --run-dir runs",
    "evaluate runs --json fi": "evaluate runs --json figures.json",
    "evaluate runs --json=fi": "evaluate runs --json=figures.json",
    "predict runs ca": "predict runs cat.jpg",
    "predict runs cat.jpg do": "predict runs cat.jpg dog.jpg",
    "benchmark runs/a.tflite runs/b": "benchmark runs/a.tflite runs/b.tflite",
}


class Terminal:
    """A shell in a terminal, in a folder with a command `keras-vit` that keeps its arguments in a file."""

    def __init__(self, shell, folder):
        for name in ("cat.jpg", "dog.jpg", "figures.json", "runs/a.tflite", "runs/b.tflite"):
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).touch()
        self.arguments = folder / "arguments"
        command = folder / "bin" / "keras-vit"
        command.parent.mkdir()
        part = folder / "part"
        command.write_text(f'#!/bin/sh\necho "$@" > {part}\nmv {part} {self.arguments}\n')
        command.chmod(0o755)
        self.process, self.file = pty.fork()
        if self.process == 0:
            os.chdir(folder)
            path = f"{command.parent}{os.pathsep}{os.environ['PATH']}"
            os.execvpe(shell, SHELLS[shell], {"PATH": path, "HOME": str(folder), "TERM": "xterm"})

    def arguments_after(self, typed):
        """Returns the arguments that `keras-vit` is called with after typing some keys and return."""
        self.arguments.unlink(missing_ok=True)
        os.write(self.file, typed.encode() + b"\r")
        end = time.monotonic() + 30
        shown = b""
        while not self.arguments.exists():
            assert time.monotonic() < end, f"after {typed!r} the terminal shows {shown!r}"
            if select.select([self.file], [], [], 0.01)[0]:
                shown += os.read(self.file, 4096)
        return self.arguments.read_text().strip().removesuffix("/")  # zsh removes it, the others do not

    def close(self):
        os.close(self.file)
        os.waitpid(self.process, 0)


@pytest.mark.parametrize("shell", SHELLS)
def test_names_of_commands_options_and_recipes_and_files_are_completed(shell, tmp_path, capsys):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    assert main(["completion", shell]) == 0
    script = tmp_path / "script"
    script.write_text(capsys.readouterr().out)
    load = {"zsh": f'autoload -Uz compinit; compinit -u; eval "$(cat {script})"'}
    terminal = Terminal(shell, tmp_path)
    try:
        assert terminal.arguments_after(f"{load.get(shell, f'source {script}')}; keras-vit ready") == "ready"
        found = {typed: terminal.arguments_after(f"keras-vit {typed}\t") for typed in COMPLETED}
    finally:
        terminal.close()
    assert found == COMPLETED
