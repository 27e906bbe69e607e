"""Define the forms of a note, of its redaction, and of a review that is done."""

from typing import ClassVar

from flask_wtf import FlaskForm
from wtforms import HiddenField, StringField, TextAreaField, ValidationError
from wtforms.validators import DataRequired

from portal.clients.editor.form_fields import DayField, EntryForm, check_characters, choice_field, day_field, text_field
from portal.clients.records import choices
from portal.clients.records.entries import CLIENT, NOTE
from portal.clients.records.note_models import MAX_REDACTION_REASON_LENGTH
from portal.text_input import clean_line
from portal.web.max_length import MaxLength, max_length_attributes


class NoteForm(EntryForm):
    """The form of a new note and of a correction."""

    GROUPS: ClassVar = {"Note": ("text", "kind", "happened_on")}

    text = text_field(NOTE, "text", kind=TextAreaField, required_message="Enter the note.")
    kind = choice_field(NOTE, "kind", choices.NOTE_KINDS)
    happened_on = day_field(NOTE, "happened_on", required_message="Enter the day it happened.")


class ReviewForm(NoteForm):
    """The form of a review that is done: a note of the meeting, and the day of the next review."""

    NOTE_FIELDS: ClassVar = ("text", "kind", "happened_on")
    GROUPS: ClassVar = {"The review": NOTE_FIELDS, "The next one": ("next_review_on",)}
    LABELS: ClassVar = {**NOTE.labels, "next_review_on": CLIENT.labels["next_review_on"]}

    next_review_on = day_field(CLIENT, "next_review_on", required_message="Enter the day of the next review.")

    def validate_next_review_on(self, field: DayField) -> None:
        """Reject a next review that is not after the one that is done."""
        if field.data and self.happened_on.data and field.data <= self.happened_on.data:
            raise ValidationError("The next review must be after this one.")


class RedactionForm(FlaskForm):
    """The form of a redaction, with the client's version that the administrator has read."""

    version = HiddenField()
    reason = StringField(
        "Reason",
        [DataRequired("Enter the reason."), MaxLength(MAX_REDACTION_REASON_LENGTH), check_characters],
        description="All users who see this client can read it. Do not repeat the text here.",
        filters=[lambda text: clean_line(text or "")],
        render_kw=max_length_attributes(MAX_REDACTION_REASON_LENGTH),
    )
