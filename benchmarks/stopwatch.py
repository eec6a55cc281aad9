"""How long something takes."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter


@contextmanager
def stopwatch() -> Iterator[list[float]]:
    """Gives a list whose one value is the seconds that the block took, once it has ended."""
    started, elapsed = perf_counter(), [0.0]
    yield elapsed
    elapsed[0] = perf_counter() - started
