"""Test the headers of each response: security and caching."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from portal.web.static_files import digest_of
from tests.support.cast import Cast
from tests.support.factories import make_client
from tests.support.postgres_proxy import Wiretap
from tests.support.test_client import Visitor, visitors_of

Visit = type[Visitor]
ANSWERS: dict[str, Callable[[Visitor], TestResponse]] = {
    "page": lambda visitor: visitor.get("/clients"),
    "client": lambda visitor: visitor.get("/clients/1"),
    "editor": lambda visitor: visitor.get("/clients/1/edit"),
    "sign-in": lambda visitor: visitor.get("/sign-in"),
    "beat": lambda visitor: visitor.beat("client-1"),
    "roster": lambda visitor: visitor.get("/user_page_presence/client-1"),
    "session": lambda visitor: visitor.get("/session"),
    "redirect": lambda visitor: visitor.get("/"),
    "not found": lambda visitor: visitor.get("/nowhere"),
    "api not found": lambda visitor: visitor.beat("client-9"),
    "not allowed": lambda visitor: visitor.call("PUT", "/clients"),
    "too large": lambda visitor: visitor.post(
        "/user_page_presence", data=b"x" * 20_000, content_type="application/json"
    ),
    "forbidden": lambda visitor: visitor.without_token().post("/sign-out"),
    "health": lambda visitor: visitor.get("/healthz"),
}


@pytest.mark.parametrize("ask", ANSWERS.values(), ids=ANSWERS)
def test_each_response_has_the_security_headers(
    visit: Visit, cast: Cast, ask: Callable[[Visitor], TestResponse]
) -> None:
    make_client()
    headers = ask(visit(cast.amelia).with_token()).headers

    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == policy["form-action"] == "'self'"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"
    assert policy["object-src"] == "'none'"
    assert {part.partition("=")[2] for part in headers["Permissions-Policy"].split(", ")} == {"()"}
    assert "Strict-Transport-Security" not in headers


def test_each_production_response_requires_https(make_app: Callable[..., Flask], cast: Cast) -> None:
    """OWASP ASVS 5.0.0, 3.4.1 requires one year and all subdomains. The demo uses plain HTTP and sends none."""
    make_client()
    production, demo = (visitors_of(make_app(is_testing=False, is_demo=is_demo)) for is_demo in (False, True))

    sent = {name: ask(production(None)).headers.get("Strict-Transport-Security") for name, ask in ANSWERS.items()}
    of_demo = {name: ask(demo(cast.amelia)).headers.get("Strict-Transport-Security") for name, ask in ANSWERS.items()}
    assert sent == dict.fromkeys(ANSWERS, "max-age=63072000; includeSubDomains")
    assert of_demo == dict.fromkeys(ANSWERS)


def test_each_header_is_sent_once(visit: Visit, cast: Cast) -> None:
    names = [name for name, _ in visit(cast.amelia).get("/clients").headers if name != "Set-Cookie"]

    assert len(names) == len(set(names))


def test_503_has_the_security_headers(tapped_visit: Visit, cast: Cast, wiretap: Wiretap) -> None:
    browser = tapped_visit(cast.amelia).with_token()
    with wiretap.cut():
        for answer in (browser.get("/clients"), browser.beat("client-1")):
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/clients", "/clients/1", "/clients/1/edit", "/sign-in", "/signed-in", "/nowhere"])
def test_pages_comply_with_the_content_security_policy(visit: Visit, cast: Cast, path: str) -> None:
    """Pages contain no inline script, style or handler, and load nothing from another host."""
    make_client(adviser_id=cast.amelia.id)
    for browser in (visit(cast.amelia), visit(None)):
        page = browser.get(path, follow_redirects=True).text
        assert "<style" not in page
        assert " style=" not in page
        assert not re.search(r"<[^>]*\son\w+=", page)
        assert page.count("<script") == page.count('<script type="module" src="/static/')
        assert "http://" not in page.replace("http://www.w3.org", "")
        assert "https://" not in page
        assert "javascript:" not in page


def test_static_files_may_be_cached_for_ever(visit: Visit, cast: Cast, app: Flask) -> None:
    """Their URL changes with their content, so a browser never runs an old script on a new page."""
    page = visit(cast.amelia).get("/clients").text
    [address] = re.findall(r'<script type="module" src="([^"]+/js/entry/every-page\.js)"></script>', page)
    answer = visit(None).get(address)

    assert address.startswith(f"{app.static_url_path}/")
    assert answer.status_code == 200
    assert answer.content_type.split(";")[0] in ("text/javascript", "application/javascript")
    assert "immutable" in answer.headers["Cache-Control"]
    assert "max-age=31536000" in answer.headers["Cache-Control"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in answer.headers


def test_static_files_are_compressed(visit: Visit, app: Flask) -> None:
    address = f"{app.static_url_path}/css/foundation/tokens.css"
    plain = visit(None).get(address)
    packed = visit(None).get(address, headers={"Accept-Encoding": "gzip"})

    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.data) < len(plain.data)
    assert "Accept-Encoding" in packed.headers["Vary"]


@pytest.mark.parametrize("name", ["nothing.js", "../portal/config.py", "%2e%2e/portal/config.py", "js", "", "js/%00"])
def test_path_outside_the_static_folder_is_not_served(visit: Visit, app: Flask, name: str) -> None:
    assert visit(None).get(f"{app.static_url_path}/{name}").status_code == 404


def test_digest_changes_with_each_file(tmp_path) -> None:
    (tmp_path / "a.js").write_text("one")
    first = digest_of(tmp_path)
    assert digest_of(tmp_path) == first

    (tmp_path / "a.js").write_text("two")
    second = digest_of(tmp_path)
    (tmp_path / "a.js").rename(tmp_path / "b.js")
    third = digest_of(tmp_path)
    assert len({first, second, third}) == 3


def test_pages_cannot_be_framed(make_app: Callable[..., Flask], cast: Cast) -> None:
    browser = visitors_of(make_app(is_demo=True))(cast.amelia)

    assert "frame-ancestors 'none'" in browser.get("/clients").headers["Content-Security-Policy"]
