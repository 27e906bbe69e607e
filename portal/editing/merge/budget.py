"""How much work the comparisons of one request may do together. Pure; used by comparing.py.

A view makes one budget and hands it to every merge and every diff of its request. The work is counted, never timed, so
that the same texts are always compared or always left alone.
"""

MAX_STEPS = 300_000  # about 0.1 s of CPU
MAX_STEPS_PER_COMPARISON = 100_000  # one hostile text leaves something for the others


class TooCostly(Exception):
    """The comparison would go beyond the budget: show or ask about the whole texts instead."""


class Budget:
    """What is left of the work that a request may do. Mutable on purpose: all comparisons share it."""

    def __init__(self, steps: int = MAX_STEPS) -> None:
        self._left = steps

    def spend(self, steps: int) -> None:
        """Take `steps` off. Raises TooCostly once more has been spent than there was."""
        self._left -= steps
        if self._left < 0:
            raise TooCostly
