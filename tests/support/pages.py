"""Every page of the portal, in the states that its templates distinguish."""

from collections.abc import Iterator
from datetime import date

from werkzeug.test import TestResponse

from portal.clients import Client
from portal.editing.drafts import store
from portal.editing.drafts.store import DraftKey, DraftPayload
from portal.extensions import db
from tests.support.cast import PASSWORD, Cast
from tests.support.csv_folder import ONE_OF_EACH, send_files
from tests.support.factories import make_client, make_person, make_product
from tests.support.html import form_of, forms_of
from tests.support.test_client import Visitor

Visit = type[Visitor]


def make_complete_client(cast: Cast) -> Client:
    """Return a restricted client with one part of each kind, a later change and a draft of Amelia's."""
    client = make_client(
        "Whitmore Family", adviser_id=cast.amelia.id, phone="111", notes="One\nTwo", is_restricted=True
    )
    make_person(client)
    make_product(client, (date(2026, 1, 31), "1000.00"), (date(2026, 2, 28), "1100.00"))
    store.save(DraftKey(cast.amelia.id, f"client-{client.id}", "record"), "a", DraftPayload(1, "", {"phone": "3"}))
    db.session.commit()
    return client


def pages_of(visit: Visit, cast: Cast, client: Client) -> Iterator[tuple[str, TestResponse]]:
    """Request each page. Yield a name and the response."""
    amelia, daniel, ada, nobody = visit(cast.amelia), visit(cast.daniel), visit(cast.ada), visit(None)
    here = f"/clients/{client.id}"
    opened = form_of(amelia.get(f"{here}/edit"))
    for phone in ("222", "2222"):
        ada.post(f"{here}/edit", data={**form_of(ada.get(f"{here}/edit")), "phone": phone, "notes": phone})
    ada.post(f"{here}/person/1/edit", data={**form_of(ada.get(f"{here}/person/1/edit")), "known_as": "Ru"})
    paths = [
        *(
            "",
            "/edit",
            "/edit?draft=a",
            "/history",
            "/history/2/revert",
            "/access",
            "/person/1/edit",
            "/person/new",
            "/person/1/remove",
            "/product/1",
        ),
        *("/product/1/edit", "/product/new", "/product/1/remove", "/product/1/valuation/new", "/valuation/1/edit"),
        "/valuation/1/remove",
    ]
    for path in paths:
        yield here + path, amelia.get(here + path)
    yield "wrong", amelia.post(f"{here}/edit", data={**opened, "name": ""})
    yield "conflict", amelia.post(f"{here}/edit", data={**opened, "phone": "444", "notes": "4"})
    amelia.post(f"{here}/valuation/1/remove", data=form_of(amelia.get(f"{here}/valuation/1/remove")))
    yield "gone", amelia.post(f"{here}/valuation/1/edit", data={**opened, "valued_on": "1/1/2026", "amount": "1"})
    yield "not found", daniel.get(here)
    for path in ("/sign-in", "/choose-password"):
        yield path, nobody.get(path)
    for path in ("/", "/clients", "/clients?q=nobody", "/clients/new", "/account", "/signed-in"):
        yield path, amelia.get(path)
    for path in (
        "/users",
        "/users/new",
        f"/users/{cast.rhys.id}",
        f"/users/{cast.rhys.id}/details",
        f"/users/{cast.amelia.id}/hand-over",
        "/records/export",
        "/records/import",
        "/audit",
        "/reads",
        "/reads?client=none&since=x",
        f"/reads?client={client.client_ref}",
    ):
        yield path, ada.get(path)
    send_files(ada, [("clients.csv", "name\nWhitmore,<b>"), ("people.csv", "\xff")])
    yield "import with problems", ada.get("/records/import")
    client.client_ref = "KG1"
    db.session.commit()
    send_files(ada, ONE_OF_EACH.items())
    preview = ada.get("/records/import")
    yield "import preview", preview
    form = next(form for form in forms_of(preview) if "mark" in form)
    ada.post("/records/import/apply", data={**form, "current_password": PASSWORD})
    yield "imported", ada.get("/records/import")
