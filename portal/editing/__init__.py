"""What stands under every save, for any versioned record: versions, the merge, decisions, drafts."""

from flask import Flask

from portal.editing.drafts import views

__all__ = ["init_editing"]


def init_editing(app: Flask) -> None:
    """Register the drafts API. Comes after the features have registered their page kinds."""
    app.register_blueprint(views.blueprint)
    app.register_blueprint(views.by_hand)
