"""Register client records: the list, the client page, its editors, history, import and export."""

from collections.abc import Collection
from functools import partial

from flask import Flask

from portal import page_kinds
from portal.admin.audit.details import register_words
from portal.auth.sessions.store import read_with_profile
from portal.clients import cli, permission_recheck, permissions
from portal.clients.bulk import views as bulk_views
from portal.clients.csv import import_views
from portal.clients.csv import views as csv_views
from portal.clients.desk import views as desk_views
from portal.clients.editor import editor, new_client, new_client_views, same_parts_views, text_merges_views
from portal.clients.editor import views as editor_views
from portal.clients.history import changes_views, overruled_views
from portal.clients.history import views as history_views
from portal.clients.listing import views as listing_views
from portal.clients.notes import change_views as note_change_views
from portal.clients.notes import composer, review_views
from portal.clients.notes import views as note_views
from portal.clients.notifications import views as notification_views
from portal.clients.page import views as page_views
from portal.clients.reads import views as read_views
from portal.clients.records.models import Client, ClientGrant, Person, Product, Valuation
from portal.clients.search import views as search_views
from portal.clients.sharing import hand_over_views
from portal.clients.sharing import views as access_views
from portal.clients.valuations import grid
from portal.clients.valuations import views as valuation_views
from portal.clients.visits import views as visits_views
from portal.clients.wording import audit_words
from portal.notifications.unread_sql import unread_count_sql

__all__ = ["Client", "ClientGrant", "Person", "Product", "Valuation", "init_clients"]


def init_clients(app: Flask) -> None:
    """Register the presence page kind, the blueprints and the commands of client records."""
    page_kinds.register(
        page_kinds.PageKind(
            "client",
            "client record",
            load=permissions.client_for,
            visible_sql=permissions.VISIBLE_SQL,
            editable_sql=permissions.EDITABLE_SQL,
            version_sql=permissions.VERSION_SQL,
            oversight_only_sql=permissions.OVERSIGHT_ONLY_SQL,
            advised_sql=permissions.ADVISED_SQL,
            fields_of=_fields_of,
        )
    )
    page_kinds.register(new_client.PAGE_KIND)
    modules = (
        desk_views,
        listing_views,
        bulk_views,
        search_views,
        new_client_views,
        page_views,
        editor_views,
        history_views,
        note_views,
        note_change_views,
        review_views,
        valuation_views,
        access_views,
        csv_views,
        import_views,
        hand_over_views,
        read_views,
        changes_views,
        overruled_views,
        text_merges_views,
        same_parts_views,
        visits_views,
        notification_views,
    )
    for module in modules:
        app.register_blueprint(module.blueprint)
    read_with_profile(notification_views.UNREAD, partial(unread_count_sql, "profiles.id"))
    app.add_template_global(notification_views.count_unread_notifications)
    app.add_template_global(notification_views.notification_labels)
    permission_recheck.init_permission(app)
    import_views.init_uploads(app)
    register_words(audit_words.words_for)
    app.cli.add_command(cli.clients)


def _fields_of(form_name: str) -> Collection[str]:
    """Return the fields that a draft of this form of a client may contain."""
    return editor.fields_of(form_name) or composer.fields_of(form_name) or grid.fields_of(form_name)
