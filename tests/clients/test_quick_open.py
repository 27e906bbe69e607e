"""Quick open: the best matches of a search, the recent clients, and the setting of single keys."""

from typing import Any

import pytest

from portal.clients import Client
from portal.clients.visits import store as visits
from portal.extensions import db
from tests.support.cast import Cast
from tests.support.factories import make_client, make_person
from tests.support.html import text_of
from tests.support.postgres_proxy import Wiretap, work_in
from tests.support.test_client import Visitor

Visit = type[Visitor]


@pytest.fixture
def amelia(visit: Visit, cast: Cast) -> Visitor:
    return visit(cast.amelia)


def found_by(browser: Visitor, q: str) -> list[str]:
    """Return each result with its name, reference and what matched. Marks are in square brackets."""
    response = browser.get("/clients/search", query_string={"q": q})
    assert response.status_code == 200
    return [written(client) for client in response.json["clients"]]


def written(client: dict[str, Any]) -> str:
    matches = [f"{label} {marked(pieces)}" for label, pieces in client["matches"]]
    return " | ".join([marked(client["name"]), client["reference"], *matches])


def marked(pieces: list[str]) -> str:
    return "".join(f"[{text}]" if place % 2 else text for place, text in enumerate(pieces))


@pytest.mark.statements
def test_results_say_what_matched_and_lead_to_the_client(amelia: Visitor) -> None:
    client = make_client("Whitmore Family", client_ref="KG00051", postcode="SW1A 1AA")
    make_person(client, "Margaret", "Whitmore")

    assert found_by(amelia, "margaret sw1a1aa") == [
        "Whitmore Family | KG00051 | Person: [Margaret] Whitmore | Postcode [SW1A 1AA]"
    ]
    [result] = amelia.get("/clients/search?q=margaret").json["clients"]
    assert (result["url"], result["is_restricted"]) == (f"/clients/{client.id}", False)


@pytest.mark.statements
def test_reference_comes_before_names_and_names_before_other_texts(amelia: Visitor) -> None:
    make_client("Zeta", client_ref="KG00051")
    make_client("KG51 Holdings", client_ref="KG00002")
    make_client("The KG51 Trust", client_ref="KG00003")
    make_client("Alpha", client_ref="KG00510")

    names = [result.split(" | ")[0] for result in found_by(amelia, "kg51")]
    assert names == ["Zeta", "[KG51] Holdings", "The [KG51] Trust", "Alpha"]


@pytest.mark.statements
def test_ten_results_are_shown_with_the_number_of_all(amelia: Visitor) -> None:
    for number in range(12):
        make_client(f"Numerous {number:02}")

    answer = amelia.get("/clients/search?q=numerous").json
    assert (len(answer["clients"]), answer["total"]) == (10, 12)
    assert amelia.get("/clients/search?q=nobody").json == {"clients": [], "total": 0}


@pytest.mark.parametrize("query", ["", "q=", "q=%20%20", "q=%00"])
def test_without_words_the_recent_clients_are_shown_that_the_user_may_see(
    amelia: Visitor, cast: Cast, query: str
) -> None:
    first, second, hidden = (make_client(name) for name in ("First", "Second", "Hidden"))
    make_client("Never visited")
    for client in (first, second, hidden):
        visits.record(cast.amelia, client, 1)
        db.session.commit()
    hidden.is_restricted = True
    db.session.commit()

    names = [
        each.split(" | ")[0] for each in (written(c) for c in amelia.get(f"/clients/search?{query}").json["clients"])
    ]
    assert names == ["Second", "First"]


@pytest.mark.parametrize(
    "q", ["%", "_", "\\", "\0", "\U0001f4a9" * 40, "a " * 1_000, "w" * 100_000, "' OR 1=1 --", "+44", "."]
)
def test_hostile_search_is_answered_by_one_statement(
    tapped_visit: Visit, cast: Cast, client: Client, wiretap: Wiretap, q: str
) -> None:
    browser = tapped_visit(cast.amelia)
    browser.get("/clients/search?q=whit")
    with wiretap.listening() as heard:
        answer = browser.get("/clients/search", query_string={"q": q})

    assert answer.status_code == 200
    assert len(work_in(heard)) == 2  # with the check of the sign-in session
    assert len(answer.json["clients"]) <= 10


@pytest.mark.statements
def test_restricted_client_leaves_no_trace_in_quick_open(
    tapped_visit: Visit, cast: Cast, client: Client, wiretap: Wiretap
) -> None:
    """The answer and the statements are those of a search in whose database the client does not exist."""
    client.is_restricted = True
    client.phone = "020 7946 0958"
    make_person(client, "Margaret", "Whitmore", ni_number="QQ 12 34 56 C")
    make_client("Whitbread Trust")
    daniel = tapped_visit(cast.daniel)
    daniel.get("/clients/search?q=whit")

    def seen(q: str) -> tuple[Any, list[str]]:
        with wiretap.listening() as heard:
            answer = daniel.get("/clients/search", query_string={"q": q})
        return answer.json, work_in(heard)

    searches = ("whit", "margaret", "qq123456c", "02079460958", client.client_ref)
    hidden = [seen(q) for q in searches]
    assert [answer["total"] for answer, _ in hidden] == [1, 0, 0, 0, 0]
    db.session.delete(client)
    db.session.commit()

    assert [seen(q) for q in searches] == hidden


def test_user_switches_single_keys_off_and_on(amelia: Visitor, cast: Cast) -> None:
    assert "data-keys" in amelia.get("/clients").text
    amelia.post("/account/single-keys", data={"single_keys": "no"})
    page = amelia.get("/clients")
    assert "data-keys" not in page.text
    assert 'aria-keyshortcuts="Control+K"' in page.text
    assert "Switch single keys on" in text_of(amelia.get("/account"))

    amelia.post("/account/single-keys", data={"single_keys": "yes"})
    assert "data-keys" in amelia.get("/clients").text
    assert amelia.post("/account/single-keys", data={"single_keys": "maybe"}).status_code == 422
