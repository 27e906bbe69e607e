"""Search clients by any of their texts and numbers, and say what matched."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.clients import Client
from portal.clients.search.evidence import explain
from portal.clients.search.terms import MAX_TERMS, parse_search
from portal.extensions import db
from tests.support.cast import Cast
from tests.support.factories import make_client, make_person, make_product
from tests.support.postgres_proxy import Wiretap, work_in
from tests.support.test_client import Visitor
from tests.support.volume import volume

Visit = type[Visitor]


@pytest.fixture
def amelia(visit: Visit, cast: Cast) -> Visitor:
    return visit(cast.amelia)


@pytest.fixture
def whitmore(cast: Cast) -> Client:
    """Create a client with every kind of text that a search finds, and another one with similar texts."""
    client = make_client(
        "Whitmore Family",
        client_ref="KG00051",
        postcode="SW1A 1AA",
        phone="+44 (0)20 7946 0958",
        email="m.whitmore@family.example",
        adviser_id=cast.amelia.id,
    )
    make_person(client, "Margaret", "Whitmore", known_as="Peggy", ni_number="QQ 12 34 56 C")
    make_product(client, plan_number="AV-123 456/7")
    other = make_client("Bell Trust", client_ref="KG00510", postcode="EH8 9YL", phone="0131 496 0001")
    make_person(other, "George", "Bell", ni_number="QQ 12 34 57 C")
    make_product(other, plan_number="SL-999")
    return client


def found_by(browser: Visitor, q: str) -> dict[str, str]:
    """Return the name and the text that says what matched of each client in the list. Marks are in square brackets."""
    response = browser.get("/clients", query_string={"q": q})
    assert response.status_code == 200
    found = {}
    for row in response.text.split("<tr data-page=")[1:]:
        marked = row.replace("<mark>", "[").replace("</mark>", "]")
        name = re.findall(r'<a href="/clients/\d+">([^<]*)</a>', marked)[0]
        evidence = re.findall(r'<small class="matches">(.*?)</small>', marked)
        found[name] = re.sub(r"\s+", " ", re.sub("<[^>]*>", "", evidence[0])).strip() if evidence else ""
    return found


MATCHES = [
    ("whitmore", {"[Whitmore] Family": ""}),
    ("fam WHIT", {"[Whit]more [Fam]ily": ""}),
    ("margaret", {"Whitmore Family": "Person: [Margaret] Whitmore"}),
    ("family margaret", {"Whitmore [Family]": "Person: [Margaret] Whitmore"}),
    ("ma fa", {"Whitmore [Fa]mily": "Person: [Ma]rgaret Whitmore"}),
    ("peggy", {"Whitmore Family": "Known as [Peggy]"}),
    *((ref, {"Whitmore Family": "Reference [KG00051]"}) for ref in ("KG00051", "kg00051", "kg-00051", "kg 00051")),
    ("kg051", {"Whitmore Family": "Reference [KG00051]"}),
    ("kg510", {"Bell Trust": "Reference [KG00510]"}),
    ("sw1a 1aa", {"Whitmore Family": "Postcode [SW1A] [1AA]"}),
    ("SW1A1AA", {"Whitmore Family": "Postcode [SW1A 1AA]"}),
    ("1aa whit", {"[Whit]more Family": "Postcode SW1A [1AA]"}),
    *(
        (phone, {"Whitmore Family": "Phone +44 (0)[20 7946 0958]"})
        for phone in ("020 7946 0958", "02079460958", "+44 20 7946 0958", "+44 (0)20-7946-0958", "0044 20 79460958")
    ),
    ("7946 0958", {"Whitmore Family": "Phone +44 (0)20 [7946] 0[958]"}),
    ("bell 0131 496", {"[Bell] Trust": "Phone 0[131 496] 0001"}),
    ("m.whitmore@family", {"Whitmore Family": "Email [m.whitmore@family].example"}),
    *((plan, {"Whitmore Family": "Plan [AV-123 456/7]"}) for plan in ("av1234567", "AV 123 4567", "av-1234567")),
    ("AV-123 456/7", {"Whitmore Family": "Plan [AV-123] [456/7]"}),
    ("23456", {"Whitmore Family": "Plan AV-1[23 456]/7"}),
    *((ni, {"Whitmore Family": "NI number [QQ 12 34 56 C]"}) for ni in ("QQ123456C", "qq 12 34 56 c", "QQ 123456 C")),
    ("whitmore qq 12 34 56 c", {"[Whitmore] Family": "NI number [QQ 12 34 56 C]"}),
    *((part, {}) for part in ("QQ123456", "QQ 12 34", "123456C", "qq12", "QQ123456CC", "34 56 C")),
    *((other, {}) for other in ("margaret bell", "whitmore kg510", "sw1a 1ab", "peggy 0131", "kg5100")),
]


@pytest.mark.statements
@pytest.mark.parametrize(("q", "found"), MATCHES, ids=[q for q, _ in MATCHES])
def test_search_finds_each_kind_of_text_and_says_what_matched(
    amelia: Visitor, whitmore: Client, q: str, found: dict[str, str]
) -> None:
    assert found_by(amelia, q) == found


def test_reference_is_found_without_its_zeros_while_it_is_typed(amelia: Visitor, whitmore: Client) -> None:
    assert found_by(amelia, "kg51") == {
        "Whitmore Family": "Reference [KG00051]",
        "Bell Trust": "Reference [KG0051]0",
    }


@pytest.mark.statements
def test_words_are_found_in_any_order_and_in_any_part_of_the_client(amelia: Visitor, whitmore: Client) -> None:
    for q in ("peggy kg51 sw1a whit", "whit sw1a kg51 peggy", "sw1a peggy whit kg51"):
        assert list(found_by(amelia, q)) == ["[Whit]more Family"]


@pytest.mark.parametrize(
    "q",
    [
        *("%", "_", "\\", "%%%", "___", "a_b%c", "%whitmore%", "\\%", "whit%more"),
        *("\0", "a\0b", "\U0001f4a9" * 30, "\u202e", "\ud800".encode("utf-8", "surrogatepass").decode("latin1")),
        *("a " * 1_000, "w" * 100_000, " ".join(map(str, range(1_000))), "' OR 1=1 --", "((((", "[[", "+"),
        *("+44", "0", "00", "0044", "+", "()", "-", ".", "@", "a@", "0 0 0 0 0"),
    ],
)
def test_hostile_search_is_answered_in_bounded_work(
    tapped_visit: Visit, cast: Cast, whitmore: Client, wiretap: Wiretap, q: str
) -> None:
    browser = tapped_visit(cast.amelia)
    browser.get("/clients")
    with wiretap.listening() as heard:
        assert browser.get("/clients", query_string={"q": q}).status_code == 200

    assert len(work_in(heard)) <= 4
    assert len(parse_search(q).terms) <= MAX_TERMS
    assert max(map(len, heard)) < 60_000


def test_list_says_that_only_the_first_words_are_searched_for(amelia: Visitor, whitmore: Client) -> None:
    page = amelia.get("/clients", query_string={"q": "w h i t m o r e"})
    assert f"Only the first {MAX_TERMS} words are searched for." in page.text
    assert "Only the first" not in amelia.get("/clients", query_string={"q": "whitmore family"}).text


TEXTS = st.text("aáßİKkgG0o5 '-/&<+@.", max_size=14)


@settings(max_examples=volume(60, 400))
@given(name=TEXTS, reference=TEXTS, phone=st.text("0123456789+ ()-x", max_size=16), q=TEXTS)
def test_explanation_of_any_texts_keeps_them_whole(name: str, reference: str, phone: str, q: str) -> None:
    client = _Row(name=name, client_ref=reference, phone=phone, matching_people=[[name, reference, "QQ123456C"]])

    evidence = explain(client, parse_search(q))

    assert "".join(evidence.name) == name
    assert {"".join(match.pieces) for match in evidence.matches} <= {name, reference, phone, "QQ123456C"}


class _Row:
    """A row of the list."""

    postcode, email = "SW1A 1AA", "a@b.example"
    matching_plans: Any = None

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)


RESTRICTED_SEARCHES = ("whitmore", "margaret", "kg00051", "sw1a1aa", "02079460958", "QQ123456C", "av1234567", "m.whit")


@pytest.mark.statements
def test_restricted_client_leaves_no_trace_in_searches(
    tapped_visit: Visit, cast: Cast, whitmore: Client, wiretap: Wiretap
) -> None:
    """The page and the statements are those of a search in whose database the client does not exist."""
    whitmore.is_restricted = True
    db.session.commit()
    daniel = tapped_visit(cast.daniel)
    daniel.get("/clients")

    def seen(q: str) -> tuple[str, list[str]]:
        with wiretap.listening() as heard:
            page = daniel.get("/clients", query_string={"q": q})
        return re.sub(r'csrf[-_]token"[^>]*|data-seconds-[^>]*', "", page.text), work_in(heard)

    hidden = [seen(q) for q in RESTRICTED_SEARCHES]
    assert [list(found_by(tapped_visit(cast.amelia), q)) for q in ("kg00051", "peggy")] == [["Whitmore Family"]] * 2
    db.session.delete(whitmore)
    db.session.commit()

    assert [seen(q) for q in RESTRICTED_SEARCHES] == hidden
    assert all("No clients match" in page for page, _ in hidden)
