"""Send CSV as a file, line by line."""

from collections.abc import Iterator

from flask import Response, stream_with_context


def csv_response(lines: Iterator[str], name: str) -> Response:
    """Return the response that sends the lines as they are made, for a file with this name."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(stream_with_context(lines), mimetype="text/csv", headers=headers)
