"""Edit versioned records concurrently: optimistic locking, merge, resolutions and drafts."""

from flask import Flask

from portal.editing.drafts import views

__all__ = ["init_editing"]


def init_editing(app: Flask) -> None:
    """Register the drafts API. The features must have registered their page kinds before."""
    app.register_blueprint(views.blueprint)
    app.register_blueprint(views.by_hand)
