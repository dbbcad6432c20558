"""Times of interpreters that run in turn."""

import dataclasses
import statistics
import time

WARM_UP = 3


@dataclasses.dataclass(frozen=True)
class Times:
    """Milliseconds of one run: median, 10th and 90th percentile."""

    median: float
    low: float
    high: float


def times_in_turn(interpreters, num_threads, rounds):
    """Times interpreters in rounds A B C A B C, so that what else the machine does meets all alike.

    Before each run that counts there is one that does not: it brings back into the caches what the others
    have displaced. On one thread it is the calling thread's CPU time that counts, so that other programs do
    not; on more it is time by the clock, as the others' work is not the caller's.

    Args:
        interpreters: dict of interpreters that are ready to run.
        num_threads: int, with which they were opened.
        rounds: int.

    Returns:
        A dict of `Times` with the same keys.
    """
    clock = time.thread_time if num_threads == 1 else time.perf_counter
    measured = {key: [] for key in interpreters}
    for number in range(WARM_UP + rounds):
        for key, interpreter in interpreters.items():
            interpreter.invoke()
            started = clock()
            interpreter.invoke()
            if number >= WARM_UP:
                measured[key].append(1000 * (clock() - started))
    return {key: _summary(times) for key, times in measured.items()}


def _summary(times):
    low, *_, high = statistics.quantiles(times, n=10, method="inclusive")
    return Times(statistics.median(times), low, high)
