"""Answer quick open: the best matches of a search, or the clients that the user has visited last."""

from typing import Any

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.clients.search.evidence import explain
from portal.clients.search.quick_open import MAX_RESULTS, find_clients
from portal.clients.search.terms import parse_search
from portal.clients.visits.recent import recent_clients

blueprint = Blueprint("client_search", __name__)


@blueprint.get("/clients/search")
def search_clients() -> ResponseReturnValue:
    """Return the best matches of `q`, each with what matched. Without words, return the user's recent clients."""
    search = parse_search(request.args.get("q", ""))
    if not search:
        recent = recent_clients(current_user, MAX_RESULTS)
        return {"clients": [_client(each, [each.name], []) for each in recent], "total": len(recent)}
    found = find_clients(search, current_user)
    clients = []
    for row in found.rows:
        evidence = explain(row, search)
        clients.append(_client(row, evidence.name, [[match.label, match.pieces] for match in evidence.matches]))
    return {"clients": clients, "total": found.total}


def _client(client: Any, name: list[str], matches: list[list[Any]]) -> dict[str, Any]:
    """Return a result. Texts are lists of pieces, of which those at odd places matched."""
    return {
        "url": url_for("clients.show", client_id=client.id),
        "name": name,
        "reference": client.client_ref,
        "is_restricted": client.is_restricted,
        "matches": matches,
    }
