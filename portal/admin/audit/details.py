"""Describe the details of an event in one line."""

from collections.abc import Callable, Mapping, Sequence

from portal.audit import AuditEvent
from portal.auth import Profile

About = Mapping[str, object]
# The numbers and keys of some events in words, for a reader (None: an operator): name in `about` → text.
WordsFor = Callable[[Sequence[About], Profile | None], Sequence[Mapping[str, str]]]
_sources: list[WordsFor] = []


def register_words(source: WordsFor) -> None:
    """Let a feature put its numbers and keys into words. Registering the same function again changes nothing."""
    if source not in _sources:
        _sources.append(source)


def describe_events(events: Sequence[AuditEvent], reader: Profile | None) -> list[str]:
    """Return one line for each event. The number of statements does not depend on the number of events."""
    words: list[dict[str, str]] = [{} for _ in events]
    for source in _sources:
        for known, more in zip(words, source([event.about for event in events], reader), strict=True):
            known.update(more)
    return [_line(event.about, known) for event, known in zip(events, words, strict=True)]


def _line(about: About, words: Mapping[str, str]) -> str:
    """Role adviser; before reader, after adviser; client KG00042 Whitmore Family, change 7."""
    names = sorted(about, key=lambda name: name != "client_id")
    return ", ".join(words.get(name) or _detail(name, about[name]) for name in names)


def _detail(name: str, value: object) -> str:
    words = name.removesuffix("_id").replace("_", " ")
    if isinstance(value, list):
        return f"{words} {' '.join(map(str, value))}".strip()
    return words if value is True else f"{words} {value}"
