"""What an event was about, in one line. Pure."""

from collections.abc import Mapping
from typing import Any


def describe_details(about: Mapping[str, Any]) -> str:
    """role adviser; before reader, after adviser; client 42."""
    return ", ".join(_detail(name, value) for name, value in about.items())


def _detail(name: str, value: Any) -> str:
    words = name.removesuffix("_id").replace("_", " ")
    if isinstance(value, list):
        return f"{words} {' '.join(map(str, value))}".strip()
    return words if value is True else f"{words} {value}"
