"""Sizes and times in words."""

import math


def latency_words(milliseconds: float) -> str:
    """Returns a time in ms with three digits that count.

    >>> latency_words(123.4), latency_words(5.7649), latency_words(0.08761)
    ('123 ms', '5.76 ms', '0.0876 ms')
    """
    digits = 2 - math.floor(math.log10(milliseconds)) if milliseconds > 0 else 2
    return f"{milliseconds:,.{max(0, min(digits, 4))}f} ms"


def size_words(size: int) -> str:
    """Returns a size in MB, or in kB where it is smaller than 0.01 MB.

    >>> size_words(22_050_000), size_words(2_640)
    ('22.05 MB', '2.6 kB')
    """
    return f"{size / 1e6:.2f} MB" if size >= 1e4 else f"{size / 1e3:.1f} kB"
