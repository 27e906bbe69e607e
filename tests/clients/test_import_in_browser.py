"""Import CSV files in the browser: the preview, and the same all or nothing as the command's."""

import csv
import io

import pytest
from flask import Flask
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from portal.audit import AuditEvent
from portal.clients.csv.importing import upload
from portal.clients.records import limits
from portal.clients.records.models import Valuation
from portal.extensions import db
from tests.clients.browser_imports import PATH, applied, audited, form_of_apply, stored, uploaded
from tests.clients.conftest import history_of
from tests.support.cast import PASSWORD, Cast
from tests.support.csv_folder import ONE_OF_EACH, CsvFolder, whole_database
from tests.support.edits import save_for
from tests.support.factories import make_client, make_person, make_product
from tests.support.html import errors_of, form_of, forms_of, links_of, text_of
from tests.support.test_client import Visitor


def test_users_page_leads_to_the_import(ada: Visitor) -> None:
    assert PATH in links_of(ada.get("/users"))
    page = text_of(ada.get(PATH))
    assert "profiles.csv, clients.csv, people.csv, products.csv and valuations.csv" in page


def test_preview_names_what_is_created_and_changed_and_writes_nothing(ada: Visitor, cast: Cast) -> None:
    client = make_client("Whitmore", client_ref="KG1", phone="111", notes="Old <b>note</b>", adviser_id=cast.daniel.id)
    make_product(client, plan_number="A100", provider="Scottish Widows")
    before = whole_database()

    page = uploaded(ada)

    shown = text_of(page)
    assert "KG1 Whitmore" in shown
    assert "Phone 111 → becomes +44 117 496 0411" in shown
    assert f"Adviser {cast.daniel.email} → becomes amelia.hart@firm.example" in shown
    assert "Key information Old <b>note</b> → becomes Calls after 5 pm" in shown
    assert "Town empty → becomes Bath" in shown
    assert "Risk profile empty → becomes 5 of 7" in shown
    assert "Provider Scottish Widows → becomes Aviva" in shown
    assert "Ruth Whitmore New of KG1" in shown
    assert "A100, 21 Aug 2026 New £1,234.50" in shown
    assert "KG1, call of 20 Aug 2026 New amelia.hart@firm.example" in shown
    assert "<b>note" not in page.text
    assert f"/clients/{client.id}" in links_of(page)
    assert whole_database() == before
    assert stored() == (1, 6)


def test_applied_import_writes_what_the_command_writes_with_the_same_audit(
    app: Flask, ada: Visitor, folder: CsvFolder, cast: Cast
) -> None:
    client = make_client("Whitmore", client_ref="KG1", is_restricted=True, adviser_id=cast.daniel.id)
    answer = applied(ada, uploaded(ada, folder))
    result = text_of(ada.get(answer.headers["Location"]))

    assert (answer.status_code, answer.headers["Location"]) == (302, PATH)
    assert "The files are imported" in result
    assert "Clients 0 1 0" in result
    assert "Valuations 1 0 0" in result
    [revision] = history_of(client)
    assert (revision.version, revision.source) == (2, "import")
    assert revision.changes["name"] == ["Whitmore", "Whitmore Family"]
    assert audited() == [
        (
            "imported",
            cast.ada.id,
            {"profiles": 0, "clients": 1, "people": 1, "products": 1, "valuations": 1, "notes": 1},
        )
    ]
    access = select(AuditEvent.event, AuditEvent.actor_id).where(AuditEvent.event.like("access_%"))
    assert set(db.session.execute(access)) == {("access_lost", cast.ada.id), ("access_gained", cast.ada.id)}
    assert stored() == (1, 0)
    before = whole_database()
    assert app.test_cli_runner().invoke(args=["clients", "import", str(folder.path)]).exit_code == 0
    assert whole_database() == before
    assert [about for _, _, about in audited()][1] == dict.fromkeys(audited()[0][2], 0)


def test_result_is_shown_until_other_files_are_wanted(ada: Visitor) -> None:
    applied(ada, uploaded(ada))
    result = ada.get(PATH)
    assert "Import other files" in text_of(result)

    ada.post(f"{PATH}/discard", data=form_of(result))

    assert "Upload the files" in text_of(ada.get(PATH))
    assert stored() == (0, 0)


def test_same_files_again_change_nothing_and_offer_no_import(ada: Visitor) -> None:
    applied(ada, uploaded(ada))

    page = uploaded(ada)

    assert "The files change nothing" in text_of(page)
    assert [form for form in forms_of(page) if "mark" in form] == []


def test_every_problem_is_listed_with_line_and_column_and_nothing_can_be_imported(
    ada: Visitor, folder: CsvFolder
) -> None:
    folder.set("clients.csv", "risk_profile", "9").set("people.csv", "client_ref", "KG9")
    (folder.path / "products.csv").unlink()
    before = whole_database()

    page = uploaded(ada, folder)

    shown = text_of(page)
    assert "clients.csv line 2, risk_profile 9 is not 1 to 7" in shown
    assert "people.csv line 2, client_ref KG9 is not a known client" in shown
    assert "products.csv the whole file the file is missing" in shown
    assert [form for form in forms_of(page) if "mark" in form] == []
    assert ada.post(f"{PATH}/apply", data={"mark": "", "current_password": PASSWORD}).status_code == 409
    assert whole_database() == before
    header, *problems = rows_of_csv(ada.get(f"{PATH}/details.csv"))
    assert header == ["File", "Line", "Column", "Problem"]
    assert ["clients.csv", "2", "risk_profile", "9 is not 1 to 7"] in problems


def test_person_beyond_the_limit_of_a_client_is_listed_as_a_problem(
    ada: Visitor, folder: CsvFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_PEOPLE", 2)
    make_person(make_client(client_ref="KG1"), "Owen")

    page = uploaded(ada, folder.add("people.csv", "KG1,,Ida,Whitmore,,,"))

    assert "people.csv line 3, client_ref KG1 would have 3 people; a client has at most 2" in text_of(page)
    assert [form for form in forms_of(page) if "mark" in form] == []


def test_long_lists_are_bounded_and_complete_as_csv(ada: Visitor, folder: CsvFolder) -> None:
    count = upload.MAX_CHANGES_SHOWN + 7
    folder.add("valuations.csv", *(f"A100,2024-01-{day:02},{day}" for day in range(1, count)))

    page = uploaded(ada, folder)

    assert "7 more are in the CSV file" in text_of(page)
    header, *rows = rows_of_csv(ada.get(f"{PATH}/details.csv"))
    assert header == ["File", "Record", "Change", "Field", "Before", "After"]
    assert len([row for row in rows if row[0] == "valuations.csv" and row[2] == "new"]) == count
    folder.write("valuations.csv", folder.text("valuations.csv").replace("A100,2", "A999,2"))
    page = uploaded(ada, folder.add("valuations.csv", *["A999"] * 200))
    assert f"{count + 200} problems" in text_of(page)
    assert f"{count} more are in the CSV file" in text_of(page)
    assert len(rows_of_csv(ada.get(f"{PATH}/details.csv"))) == 1 + count + 200


def test_formula_in_a_file_is_none_in_the_csv_of_the_changes(ada: Visitor, folder: CsvFolder) -> None:
    uploaded(ada, folder.set("people.csv", "last_name", "=1+1"))

    people = [row for row in rows_of_csv(ada.get(f"{PATH}/details.csv")) if row[0] == "people.csv"]

    assert [row[1] for row in people] == ["Ruth =1+1"]
    assert all(not cell.startswith("=") for row in people for cell in row)


def test_amount_far_from_the_last_is_shown_before_and_after_the_import(ada: Visitor, folder: CsvFolder) -> None:
    folder.add("valuations.csv", "A100,2026-09-21,12.00")

    page = uploaded(ada, folder)

    warning = "£12.00 is 99% less than the valuation before (£1,234.50 on 21 Aug 2026)"
    assert "1 amount to check" in text_of(page)
    assert warning in text_of(page)
    applied(ada, page)
    assert f"valuations.csv:3: amount_gbp: {warning}" in text_of(ada.get(PATH))


@pytest.mark.parametrize("password", ["", "wrong"])
def test_import_without_the_password_writes_nothing_and_keeps_the_files(ada: Visitor, password: str) -> None:
    before = whole_database()

    answer = applied(ada, uploaded(ada), password)

    assert answer.status_code == 422
    assert errors_of(answer)["current_password"]
    assert (whole_database(), audited(), stored()) == (before, [], (1, 6))
    assert applied(ada, answer).status_code == 302


def test_client_saved_since_the_preview_is_named_and_the_new_preview_can_be_applied(ada: Visitor, cast: Cast) -> None:
    client = make_client("Whitmore", client_ref="KG1", phone="111")
    preview = uploaded(ada)
    save_for(cast.daniel, client, phone="222")
    before = whole_database()

    answer = applied(ada, preview)

    assert answer.status_code == 409
    assert "Records have changed since this page was opened. Nothing was imported." in text_of(answer)
    assert "Changed meanwhile: KG1 Whitmore." in text_of(answer)
    assert "Phone 222 → becomes +44 117 496 0411" in text_of(answer)
    assert (whole_database(), audited()) == (before, [])
    assert applied(ada, answer).status_code == 302
    assert history_of(client)[-1].changes["phone"] == ["222", "+44 117 496 0411"]


def test_user_renamed_since_the_preview_is_shown_again(ada: Visitor, cast: Cast) -> None:
    preview = uploaded(ada)
    cast.amelia.last_name = "Hartley"
    db.session.commit()

    answer = applied(ada, preview)

    assert answer.status_code == 409
    assert "Last name Hartley → becomes Hart" in text_of(answer)


def test_client_saved_since_the_preview_is_named_although_the_changes_were_downloaded_later(
    ada: Visitor, cast: Cast
) -> None:
    client = make_client("Whitmore", client_ref="KG1", phone="111")
    preview = uploaded(ada)
    save_for(cast.daniel, client, phone="222")
    ada.get(f"{PATH}/details.csv")

    assert "Changed meanwhile: KG1 Whitmore." in text_of(applied(ada, preview))


def test_files_that_no_longer_fit_are_shown_with_their_problems(ada: Visitor, folder: CsvFolder, cast: Cast) -> None:
    make_client("Whitmore", client_ref="KG1")  # is not saved
    other = make_client(client_ref="KG2")
    preview = uploaded(ada, folder)
    make_product(other, plan_number="A100")

    answer = applied(ada, preview)

    assert answer.status_code == 409
    assert "A100 belongs to another client, KG2" in text_of(answer)
    assert "Changed meanwhile" not in text_of(answer)
    assert audited() == []


def test_mark_differs_for_each_kind_of_difference(ada: Visitor, folder: CsvFolder) -> None:
    """A mark that overlooked a part of the plan would import what no page has shown."""
    marks = {form_of_apply(uploaded(ada, folder))["mark"]}
    client = make_client("Whitmore", client_ref="KG1")
    marks.add(form_of_apply(uploaded(ada, folder))["mark"])
    product = make_product(client, plan_number="A100")
    marks.add(form_of_apply(uploaded(ada, folder))["mark"])
    for amount in ("1", "2"):
        db.session.execute(text("DELETE FROM valuations"))
        db.session.add(Valuation(product_id=product.id, valued_on=day_in_the_files(), amount=amount))
        db.session.commit()
        marks.add(form_of_apply(uploaded(ada, folder))["mark"])

    assert len(marks) == 5


def day_in_the_files() -> str:
    """Return the day of the valuation in the files."""
    return ONE_OF_EACH["valuations.csv"].split("\n")[1].split(",")[1]


def rows_of_csv(answer: TestResponse) -> list[list[str]]:
    assert (answer.status_code, answer.mimetype) == (200, "text/csv")
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=import-")
    return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
