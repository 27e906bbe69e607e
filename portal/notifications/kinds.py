"""List the kinds of notification. Pure."""

from enum import StrEnum


class Kind(StrEnum):
    """What a notification is about. The comment says what identifies its subject."""

    MENTIONED = "mentioned"  # "note/12"
    CHANGED = "changed"  # nothing: one unread notification of a client and an actor
    OVERRULED = "overruled"  # "version/7"
    WAITING = "waiting"  # nothing
    HANDED_OVER = "handed-over"  # nothing; without a client: several of them, one unread notification of an actor
    OPENED = "opened"  # nothing
    DRAFT = "draft"  # the id of the draft


# The words of the account page.
LABELS = {
    Kind.MENTIONED: "A colleague mentions you",
    Kind.CHANGED: "A colleague changes a client that you advise",
    Kind.OVERRULED: "A colleague overrules or undoes your change",
    Kind.WAITING: "A colleague waits for you to finish",
    Kind.HANDED_OVER: "A client is handed over to you",
    Kind.OPENED: "A client is opened to you",
    Kind.DRAFT: "A draft of yours is a day old",
}


def overruled_subject(version: int) -> str:
    """Return the subject of a notification that this version of the client overruled a change."""
    return f"version/{version}"


def mention_subject(note_id: int) -> str:
    """Return the subject of a notification that this note mentions its reader."""
    return f"note/{note_id}"
