"""A folder of six CSV files with one row each, which a test can change."""

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from sqlalchemy import text
from werkzeug.test import TestResponse

from portal.extensions import db
from tests.support.test_client import Visitor

ONE_OF_EACH = {
    "profiles.csv": "first_name,last_name,email,role\nAmelia,Hart,amelia.hart@firm.example,adviser\n",
    "clients.csv": (
        "client_ref,name,client_type,status,adviser_email,client_since,email,phone,address_line1,address_line2,town,"
        "postcode,risk_profile,capacity_for_loss,objectives,next_review_on,notes\n"
        "KG1,Whitmore Family,family,active,amelia.hart@firm.example,2016-05-09,ruth@mail.example,+44 117 496 0411,"
        "4 Mill Lane,,Bath,BA1 1AA,5,medium,Retire at 60,2026-12-08,Calls after 5 pm\n"
    ),
    "people.csv": (
        "client_ref,title,first_name,last_name,known_as,date_of_birth,ni_number\n"
        "KG1,Mrs,Ruth,Whitmore,Ruthie,1961-02-03,QQ123456C\n"
    ),
    "products.csv": (
        "client_ref,plan_number,product_name,product_type,provider,status,start_on,fixed_fee_gbp,percentage_fee\n"
        "KG1,A100,Stocks & Shares ISA,ISA,Aviva,active,2019-04-06,120.00,0.75\n"
    ),
    "notes.csv": (
        "client_ref,kind,happened_on,author_email,written_at,edited_at,redaction_reason,text\n"
        "KG1,call,2026-08-20,amelia.hart@firm.example,2026-08-20T10:42:00+00:00,,,Rang about the ISA\n"
    ),
    "valuations.csv": "plan_number,valued_on,amount_gbp\nA100,2026-08-21,1234.50\n",
}


class CsvFolder:
    """A folder of CSV files. Every method returns the folder, so calls can be chained."""

    def __init__(self, path: Path, files: dict[str, str] = ONE_OF_EACH) -> None:
        self.path = path
        path.mkdir(exist_ok=True)
        for name, content in files.items():
            self.write(name, content)

    def write(self, name: str, content: str | bytes) -> Self:
        data = content.encode() if isinstance(content, str) else content
        (self.path / name).write_bytes(data)
        return self

    def add(self, name: str, *rows: str) -> Self:
        return self.write(name, self.text(name) + "".join(f"{row}\n" for row in rows))

    def change(self, name: str, old: str, new: str) -> Self:
        assert old in self.text(name), f"{name} holds no {old!r}"
        return self.write(name, self.text(name).replace(old, new))

    def set(self, name: str, column: str, value: str) -> Self:
        """Set a column of the first row to `value`, which is quoted as in a file."""
        header, row, *rest = self.text(name).split("\n")
        cells = row.split(",")
        cells[header.split(",").index(column)] = value
        return self.write(name, "\n".join([header, ",".join(cells), *rest]))

    def text(self, name: str) -> str:
        return (self.path / name).read_bytes().decode()

    def __truediv__(self, name: str) -> Path:
        return self.path / name


def send_files(browser: Visitor, files: Iterable[tuple[str, str | bytes]]) -> TestResponse:
    """Upload (name, content) pairs for an import in the browser."""
    contents = [(content.encode() if isinstance(content, str) else content, name) for name, content in files]
    data = {"files": [(io.BytesIO(content), name) for content, name in contents]}
    return browser.post("/records/import", data=data, content_type="multipart/form-data")


def upload_of(length: int) -> tuple[str, bytes]:
    """Return the content type and the body of an upload of one file. The body has this length."""
    begin = b'--x\r\nContent-Disposition: form-data; name="files"; filename="clients.csv"\r\n\r\n'
    end = b"\r\n--x--\r\n"
    return "multipart/form-data; boundary=x", begin + b"a" * (length - len(begin) - len(end)) + end


def whole_database() -> dict[str, list[tuple[object, ...]]]:
    """Return every committed row of all tables of records."""
    tables = ("profiles", "clients", "people", "products", "valuations", "client_notes")
    with db.engine.connect() as connection:
        return {
            table: [tuple(row) for row in connection.execute(text(f"SELECT * FROM {table} ORDER BY id"))]  # noqa: S608
            for table in tables
        }
