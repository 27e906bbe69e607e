"""Test the grammar of page identifiers (portal.page_kinds)."""

import contextlib

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from portal import page_kinds
from portal.errors import NotFound
from tests.support.cast import Cast


def test_page_identifier_names_a_kind_and_a_number(app: Flask) -> None:
    page = page_kinds.parse("client-42")

    assert (page.kind.name, page.kind.label, page.number, page.identifier) == (
        "client",
        "client record",
        42,
        "client-42",
    )


@pytest.mark.parametrize(
    "text",
    [
        *("", "client", "client-", "-1", "client-0", "client-01", "client--1", "client-+1", "client-1.0", "client-1e3"),
        *("client-2147483648", "client-99999999999", "CLIENT-1", "client-1 ", " client-1", "client-1\n", "client_1"),
        *("product-1", "client-1-1", "client-\N{ARABIC-INDIC DIGIT ONE}", "clienté-1", "client-1\0", "a" * 300),
    ],
)
def test_invalid_page_identifier_is_404(app: Flask, text: str) -> None:
    with pytest.raises(NotFound):
        page_kinds.parse(text)


def test_largest_page_number_is_the_largest_integer(app: Flask) -> None:
    assert page_kinds.parse("client-2147483647").number == 2**31 - 1


@given(text=st.text(max_size=30))
def test_parse_raises_only_not_found(text: str) -> None:
    with contextlib.suppress(NotFound):
        assert page_kinds.parse(text).identifier == text


def test_client_page_is_a_registered_kind(cast: Cast) -> None:
    [kind] = [kind for kind in page_kinds.kinds() if kind.name == "client"]

    with pytest.raises(NotFound):
        kind.load(cast.amelia, 1)


def test_registering_the_same_kind_again_has_no_effect(app: Flask) -> None:
    [kind] = [kind for kind in page_kinds.kinds() if kind.name == "client"]
    before = page_kinds.kinds()
    page_kinds.register(kind)

    assert page_kinds.kinds() == before
