"""Limit the work of all comparisons of one request. Pure.

A view creates one budget and passes it to every merge and every diff of its request. Work is counted and not timed, so
the same texts always have the same result.
"""

MAX_STEPS = 300_000  # about 0.1 s of CPU
MAX_STEPS_PER_COMPARISON = 100_000  # so that one hostile text leaves some for the others


class TooCostly(Exception):
    """The comparison would exceed the budget. The caller shows or asks about the whole texts instead."""


class Budget:
    """The remaining work of a request. It is mutable, because all comparisons share it."""

    def __init__(self, steps: int = MAX_STEPS) -> None:
        self._left = steps

    def spend(self, steps: int) -> None:
        """Subtract `steps`. Raises TooCostly if the budget is exceeded."""
        self._left -= steps
        if self._left < 0:
            raise TooCostly
