"""Fixtures of the tests of sign-in."""

import pytest

from portal.auth.passwords import hashing


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record the passwords that argon2 checks. Measuring times instead would be unreliable."""
    asked: list[str] = []
    matches = hashing._matches

    def spied(password: str, password_hash: str) -> bool:
        asked.append(password)
        return matches(password, password_hash)

    monkeypatch.setattr(hashing, "_matches", spied)
    return asked
