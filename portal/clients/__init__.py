"""Client records: the list, the client page, its editor, import and export."""

from flask import Flask

from portal import page_kinds
from portal.clients import (
    access,
    access_views,
    changes_views,
    cli,
    editor_views,
    editors,
    history_views,
    overruled_views,
    permission_views,
    text_merges_views,
    views,
)
from portal.clients.models import Client, ClientGrant, Person, Product, Valuation

__all__ = ["Client", "ClientGrant", "Person", "Product", "Valuation", "init_clients"]


def init_clients(app: Flask) -> None:
    """Make client pages known as places where people can meet; register the pages and commands."""
    page_kinds.register(
        page_kinds.PageKind(
            "client",
            "client record",
            load=access.client_for,
            visible_sql=access.VISIBLE_SQL,
            editable_sql=access.EDITABLE_SQL,
            version_sql=access.VERSION_SQL,
            admin_only_sql=access.ADMIN_ONLY_SQL,
            fields_of=editors.fields_of,
        )
    )
    modules = (views, editor_views, history_views, access_views, changes_views, overruled_views, text_merges_views)
    for module in modules:
        app.register_blueprint(module.blueprint)
    permission_views.init_permission(app)
    app.cli.add_command(cli.clients)
