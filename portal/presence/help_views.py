"""Serve the page "How we edit together" for all users."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

blueprint = Blueprint("help", __name__)


@blueprint.get("/help/editing-together")
def editing_together() -> ResponseReturnValue:
    """Say on one screen, with pictures, what happens when several users edit a client."""
    return render_template("presence/help.html")
