"""Answer every bad request to the presence API with the right status and the faulty field, and never with 500
(docs/api.md).
"""

import io
import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from tests.support.cast import Cast
from tests.support.problems import assert_problem
from tests.support.test_client import Visitor
from tests.support.time_travel import rows
from tests.support.volume import volume

Visit = type[Visitor]
NUL, LONE_SURROGATE, HUGE = "\0", "\ud800", 10**400


@pytest.fixture
def amelia(visit: Visit, cast: Cast, page_identifier: str) -> Visitor:
    return visit(cast.amelia).with_token()


def send(visitor: Visitor, body: bytes | str, content_type: str = "application/json") -> TestResponse:
    return visitor.post("/user_page_presence", data=body, content_type=content_type)


WRONG_TEXTS: list[Any] = [7, 1.5, True, {}, ["client-1"], "", NUL, "a" * 256]
WRONG = {
    "page_identifier": [*WRONG_TEXTS, None, "client-1\0", f"client-{LONE_SURROGATE}", "client-1\n", "\u2028", HUGE],
    "tab_id": [*WRONG_TEXTS, "a b", "a\0", LONE_SURROGATE, "ä", ".", "a" * 65, "tab\n", "'; DROP TABLE profiles; --"],
    "activity": [*WRONG_TEXTS, None, "EDITING", "editing ", LONE_SURROGATE, "deleting", HUGE],
    "visible": [None, 0, 1, "true", "", [], {}, HUGE],
    "fields": [
        *(None, 7, True, "Phone", {}, {"Phone": 1}, [7], [None], [["Phone"]], [""], ["Phone", 1]),
        *(["\0"], [LONE_SURROGATE], ["a\nb"], ["a" * 101], ["Phone"] * 51, [{"a": "b"}]),
    ],
    "focus": [7, True, {}, ["Phone"], "", NUL, LONE_SURROGATE, "a\nb", "a" * 101, HUGE],
}


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in WRONG.items() for value in values])
def test_value_out_of_range_is_422_naming_the_field(
    amelia: Visitor, page_identifier: str, field: str, value: Any
) -> None:
    response = amelia.post("/user_page_presence", json={"page_identifier": page_identifier, field: value})

    assert_problem(response, 422)
    assert response.json["field"] == field
    assert rows() == []


@pytest.mark.parametrize(
    "value", ["client-" + "9" * 240, "client-2147483648", "client--1", "client-1 ", "client-\N{ARABIC-INDIC DIGIT ONE}"]
)
def test_page_out_of_range_is_404(amelia: Visitor, value: str) -> None:
    assert_problem(amelia.beat(value), 404)


@pytest.mark.parametrize(
    "members",
    [
        {"tab_id": "a" * 64, "fields": ["x" * 100] * 50, "focus": "x" * 100},
        {"tab_id": None, "fields": [], "focus": None},
    ],
)
def test_values_at_their_limits_are_accepted(amelia: Visitor, page_identifier: str, members: dict[str, Any]) -> None:
    assert amelia.beat(page_identifier, **members).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b'{"page_identifier"', b"client-1", b"'", b"{'page_identifier': 'client-1'}", b"\0"),
        *(b"\xff\xfe\xfa", b'{"page_identifier": "\xff"}', b'{"a": \xed\xa0\x80}', b"nul", b'{"a": 1,}'),
        *(b"[" * 10_000, b'{"a":' * 2_500, b"[" * 5_000 + b"]" * 5_000),
    ],
)
def test_body_that_is_not_json_is_400(amelia: Visitor, body: bytes) -> None:
    assert_problem(send(amelia, body), 400)
    assert rows() == []


@pytest.mark.parametrize("body", [b"[]", b"7", b"null", b'"client-1"', b"true", b"NaN", b"-Infinity", b"1e999"])
def test_json_that_is_not_an_object_is_422(amelia: Visitor, body: bytes) -> None:
    """Includes NaN and Infinity, which Python reads although JSON has no such numbers."""
    response = send(amelia, body)

    assert_problem(response, 422)
    assert response.json["field"] == "body"


@pytest.mark.parametrize(
    ("value", "status"), [("NaN", 422), ("Infinity", 422), ("-1e400", 422), ("9" * 400, 422), ("9" * 5_000, 400)]
)
@pytest.mark.parametrize("field", list(WRONG))
def test_number_of_too_many_digits_is_rejected(
    amelia: Visitor, page_identifier: str, field: str, value: str, status: int
) -> None:
    """Python raises ValueError for more than 4,300 digits, so the body is not JSON."""
    other = "" if field == "page_identifier" else f'"page_identifier": "{page_identifier}", '

    response = send(amelia, f'{{{other}"{field}": {value}}}')

    assert_problem(response, status)
    assert response.json.get("field") == (field if status == 422 else None)
    assert rows() == []


def test_last_of_duplicate_keys_counts(amelia: Visitor, page_identifier: str) -> None:
    body = f'{{"page_identifier": "client-999", "page_identifier": "{page_identifier}", "activity": "viewing"}}'

    assert send(amelia, body).status_code == 200


def test_unknown_members_are_ignored_at_any_depth(amelia: Visitor, page_identifier: str) -> None:
    nested: Any = 1
    for _ in range(100):
        nested = [nested]

    assert amelia.beat(page_identifier, extra=nested, **{"": None, "\0": "\0", "__proto__": {}}).status_code == 200


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "application/jsonp", "text/json"],
)
def test_body_without_json_content_type_is_415(amelia: Visitor, page_identifier: str, content_type: str) -> None:
    response = send(amelia, json.dumps({"page_identifier": page_identifier}), content_type)

    assert_problem(response, 415)


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "application/vnd.api+json"])
def test_json_content_type_with_suffix_is_accepted(amelia: Visitor, page_identifier: str, content_type: str) -> None:
    assert send(amelia, json.dumps({"page_identifier": page_identifier}), content_type).status_code == 200


@pytest.mark.parametrize("size", [16 * 1024 + 1, 300_000, 10_000_000])
def test_body_that_is_too_large_is_413(amelia: Visitor, page_identifier: str, size: int) -> None:
    body = json.dumps({"page_identifier": page_identifier, "pad": "x" * size})

    assert_problem(send(amelia, body), 413)


def test_body_without_length_is_read_up_to_the_limit_only(amelia: Visitor) -> None:
    """This is the case of chunked bodies. Werkzeug stops at the limit, so the part that was read is not JSON."""
    body = _EndlessBody()

    response = amelia.post(
        "/user_page_presence",
        content_type="application/json",
        headers={"Transfer-Encoding": "chunked"},
        input_stream=body,
        environ_overrides={"wsgi.input_terminated": True},
    )

    assert_problem(response, 400)
    assert body.bytes_read <= 16 * 1024


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/user_page_presence", {"GET", "HEAD", "POST", "DELETE", "OPTIONS"}),
        ("PATCH", "/user_page_presence", {"GET", "HEAD", "POST", "DELETE", "OPTIONS"}),
        ("BREW", "/user_page_presence", {"GET", "HEAD", "POST", "DELETE", "OPTIONS"}),
        ("POST", "/user_page_presence/client-1", {"GET", "HEAD", "DELETE", "OPTIONS"}),
        ("TRACE", "/user_page_presence/client-1", {"GET", "HEAD", "DELETE", "OPTIONS"}),
        ("DELETE", "/session", {"GET", "HEAD", "POST", "OPTIONS"}),
    ],
)
def test_method_that_is_not_allowed_is_405_with_the_allowed_ones(
    amelia: Visitor, method: str, path: str, allowed: set[str]
) -> None:
    response = amelia.call(method, path)

    assert_problem(response, 405)
    assert {each.strip() for each in response.headers["Allow"].split(",")} == allowed


@pytest.mark.parametrize(
    "query",
    [
        *("page", "page=", "page=%00", "page=%ff", "page=%ed%a0%80", "x=1", "page=client-1%0d%0aX: y"),
        *("page=client-1&" * 99, "page=" + "9" * 4_000, "page=client-" + "9" * 400, "&".join(["page=a"] * 500)),
        "&".join(f"page=client-{number}" for number in range(1, 5_000)),
    ],
)
def test_no_query_string_causes_a_500(amelia: Visitor, query: str) -> None:
    assert amelia.get(f"/user_page_presence?{query}").status_code in (200, 422)


PATHS = [
    "client-1%00",
    "%ff",
    "%ed%a0%80",
    "client-1%0a",
    "a" * 3_000,
    "..%2f..",
    "%252e",
    "client-1;x",
    "*",
    "client-1.json",
]


@pytest.mark.parametrize("path", PATHS)
def test_no_path_causes_a_500(amelia: Visitor, path: str) -> None:
    for method in ("GET", "DELETE"):
        assert amelia.call(method, f"/user_page_presence/{path}").status_code == 404


@pytest.mark.parametrize(
    "cookie", ["a=b", "kingston_session=", "kingston_session=\xff", "kingston_session=" + "x" * 5_000, ";;;="]
)
def test_no_cookie_causes_a_500(visit: Visit, cast: Cast, cookie: str) -> None:
    response = visit(None).get("/user_page_presence/client-1", headers={"Cookie": cookie})

    assert_problem(response, 401)


@pytest.mark.parametrize("accept", ["text/html", "image/png", "", "*/*;q=x", "\xff"])
def test_api_responds_with_json_for_any_accept_header(visit: Visit, accept: str) -> None:
    assert_problem(visit(None).get("/user_page_presence/client-1", headers={"Accept": accept}), 401)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
LIKELY = st.sampled_from(["client-1", "client-2", "viewing", "editing", "a1", True, False, [], ["Phone"], "fund-1"])
BODIES = st.fixed_dictionaries(
    {},
    optional={
        "page_identifier": st.just("client-1") | LIKELY | JSON_VALUES,
        "tab_id": LIKELY | JSON_VALUES,
        "activity": st.just("editing") | LIKELY | JSON_VALUES,
        "visible": st.booleans() | JSON_VALUES,
        "fields": st.lists(st.text(max_size=8), max_size=4) | JSON_VALUES,
        "focus": st.text(max_size=8) | JSON_VALUES,
        "user_id": JSON_VALUES,
    },
)
FUZZ = settings(max_examples=volume(50, 250))


@FUZZ
@given(body=BODIES)
def test_no_json_body_causes_a_500(amelia: Visitor, body: dict[str, Any]) -> None:
    response = send(amelia, json.dumps(body))

    assert response.status_code in (200, 400, 404, 422), response.text
    if response.status_code == 422:
        assert response.json["field"] in WRONG
    if response.status_code == 200:
        assert [user["first_name"] for user in response.json["users"]] == ["Amelia"]


@FUZZ
@given(body=st.binary(max_size=200))
def test_no_bytes_cause_a_500(amelia: Visitor, body: bytes) -> None:
    assert send(amelia, body).status_code in (400, 422)


@FUZZ
@given(page=st.text(max_size=40), tab=st.text(max_size=20))
def test_no_page_identifier_causes_a_500(amelia: Visitor, page: str, tab: str) -> None:
    for response in (
        amelia.get("/user_page_presence", query_string={"page": page}),
        amelia.delete("/user_page_presence/client-1", query_string={"tab_id": tab}),
        amelia.get(f"/user_page_presence/{_quoted(page)}"),
    ):
        assert response.status_code in (200, 308, 404, 422)


def _quoted(text: str) -> str:
    return quote(text, safe="")


class _EndlessBody(io.RawIOBase):
    """A body without end. Werkzeug's test client also asks for its position."""

    bytes_read = 0

    def readinto(self, buffer: Any) -> int:
        self.bytes_read += len(buffer)
        buffer[:] = b"x" * len(buffer)
        return len(buffer)

    def tell(self) -> int:
        return 0

    def seek(self, offset: int, whence: int = 0) -> int:
        return 0
