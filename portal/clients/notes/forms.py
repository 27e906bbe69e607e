"""Define the form of a note."""

from typing import ClassVar

from wtforms import TextAreaField

from portal.clients.editor.form_fields import EntryForm, choice_field, day_field, text_field
from portal.clients.records import choices
from portal.clients.records.entries import NOTE


class NoteForm(EntryForm):
    """The form of a new note and of a correction."""

    GROUPS: ClassVar = {"Note": ("text", "kind", "happened_on")}

    text = text_field(NOTE, "text", kind=TextAreaField, required_message="Enter the note.")
    kind = choice_field(NOTE, "kind", choices.NOTE_KINDS)
    happened_on = day_field(NOTE, "happened_on", required_message="Enter the day it happened.")
