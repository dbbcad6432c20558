"""Progress of long work, with the time left: a bar on a terminal, a line now and then elsewhere."""

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, track

from keras_vit.io.html_page import duration

PATIENCE = 10  # seconds from one line to the next, where there is no terminal


def say(line: str) -> None:
    """Shows a line on what is done, where results are not written."""
    _console().print(line, highlight=False, markup=False, soft_wrap=True)


def tracked(chunks: Sequence, words: str) -> Iterable:
    """Iterates over chunks, and shows how far it is where there are several."""
    console = _console()
    if len(chunks) < 2:
        return chunks
    if console.is_interactive:
        return track(chunks, words, console=console, transient=True)
    return _with_lines(chunks, words)


def mapped(function: Callable, items: Sequence, words: str, chunk: int) -> Iterator:
    """Yields what a function returns for each item, in their order, on all cores; `tracked` by the chunk."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in tracked(range(0, len(items), chunk), words):
            yield from pool.map(function, items[start : start + chunk])


@contextlib.contextmanager
def working(words: str, parts: Sequence[str] = ()) -> Iterator["Working"]:
    """Shows for how long a block has been working, with the time left where it has parts.

    Yields a function of a part and what is done with it; its `stop()` ends the display early, for results
    that are shown within the block. The time left is known once a part is done. A part may also be a step of
    one, such as `"fp32: verifying"`: what is done there need only begin so.
    """
    state = Working(words, parts)
    console = _console()
    with (_bar if console.is_interactive else _lines)(state, console):
        yield state


class Working:
    """What is done, since when, and which of the parts were reached."""

    def __init__(self, words, parts):
        self.words = words
        self.parts = parts
        self.step = ""
        self.reached = []
        self.is_planned = True  # not what some need in addition, whose time nobody knows
        self.started = time.monotonic()
        self.changed = self.stop = lambda: None

    def __call__(self, part, what):
        step = f"{part}: {what}"
        reached = next((known for known in self.parts if step.startswith(known)), None)
        if reached is not None and reached not in self.reached:
            self.reached.append(reached)
            self.last = time.monotonic() - self.started  # seconds for those before
            self.is_planned = True
        elif any(known.startswith(part) for known in self.parts):
            self.is_planned = reached in self.reached[-1:]
        self.step = f": {step}"
        self.changed()

    @property
    def left(self):
        done = len(self.reached) - 1
        if done < 1 or not self.is_planned or self.step.endswith(" left"):
            return ""
        rest = self.last / done * (len(self.parts) - done) - (time.monotonic() - self.started - self.last)
        return f", about {duration(max(rest, 1))} left"


@contextlib.contextmanager
def _bar(state, console):
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    redirect = sys.stdout.isatty()  # above the bar; elsewhere lines on stdout would land in stderr
    with Progress(*columns, console=console, transient=True, redirect_stdout=redirect) as bar:
        task = bar.add_task(state.words)
        state.changed = lambda: bar.update(task, description=f"{state.words}{state.step}{state.left}")
        state.stop = bar.stop
        yield


@contextlib.contextmanager
def _lines(state, _):
    ended = threading.Event()

    def report():
        while not ended.wait(PATIENCE):
            say(f"{state.words}{state.step}, {duration(time.monotonic() - state.started)}{state.left}")

    thread = threading.Thread(target=report, daemon=True)
    thread.start()
    state.stop = ended.set
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _with_lines(chunks, words):
    started = said = time.monotonic()
    for done, chunk in enumerate(chunks):
        now = time.monotonic()
        if done and now - said >= PATIENCE:
            left = (now - started) / done * (len(chunks) - done)
            say(f"{words}: {done / len(chunks):.0%}, about {duration(left)} left")
            said = now
        yield chunk


def _console():
    return Console(stderr=True, emoji=False)
