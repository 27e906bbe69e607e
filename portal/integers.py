"""Limit ids, versions and page numbers to PostgreSQL's integer type."""

from werkzeug.routing import IntegerConverter, Map

MAX_INTEGER = 2**31 - 1


class IdConverter(IntegerConverter):
    """Match `<id:name>` in a route: a whole number from 1 to MAX_INTEGER. Other numbers get a 404."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, min=1, max=MAX_INTEGER)
