"""Progress bars on a terminal."""

from rich.console import Console
from rich.progress import track


def tracked(chunks, words):
    """Iterates over chunks, with a progress bar of these words on a terminal where there are several."""
    console = Console(stderr=True, emoji=False)
    quiet = len(chunks) < 2 or not console.is_terminal
    return track(chunks, words, console=console, transient=True, disable=quiet)
