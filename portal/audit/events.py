"""Define the kinds of audit events and their labels. Must not import other modules of the portal."""

from enum import StrEnum


class Event(StrEnum):
    """A kind of event. The table and the CSV contain its value, pages show its label from LABELS."""

    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGNED_OUT = "signed_out"
    SESSION_ENDED = "session_ended"
    SESSIONS_ENDED = "sessions_ended"
    UNLOCKED = "unlocked"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    PASSWORD_SET = "password_set"  # noqa: S105
    PASSWORD_CODE_MADE = "password_code_made"  # noqa: S105
    SECOND_FACTOR_SET_UP = "second_factor_set_up"
    SECOND_FACTOR_REMOVED = "second_factor_removed"
    SECOND_FACTOR_RESET = "second_factor_reset"
    RECOVERY_CODES_MADE = "recovery_codes_made"
    UNSAVED_VALUES_SHOWN = "unsaved_values_shown"
    UNSAVED_VALUES_HIDDEN = "unsaved_values_hidden"
    PROFILE_ADDED = "profile_added"
    PROFILE_RENAMED = "profile_renamed"
    EMAIL_CHANGED = "email_changed"
    ROLE_CHANGED = "role_changed"
    PROFILE_ACTIVATED = "profile_activated"
    PROFILE_DEACTIVATED = "profile_deactivated"
    CLIENT_ADDED = "client_added"
    RESTRICTED = "restricted"
    UNRESTRICTED = "unrestricted"
    GRANTED = "granted"
    GRANT_TAKEN = "grant_taken"
    ACCESS_GAINED = "access_gained"
    ACCESS_LOST = "access_lost"
    IMPORTED = "imported"
    EXPORTED = "exported"
    PROCEEDED_ANYWAY = "proceeded_anyway"
    CONFLICT_OVERRIDDEN = "conflict_overridden"
    REVERTED = "reverted"
    NOTE_REDACTED = "note_redacted"
    READS_VIEWED = "reads_viewed"
    AUDIT_PURGED = "audit_purged"
    HISTORY_PURGED = "history_purged"


LABELS = {
    Event.SIGNED_IN: "Signed in",
    Event.SIGN_IN_FAILED: "Sign-in failed",
    Event.SIGNED_OUT: "Signed out",
    Event.SESSION_ENDED: "Signed out one other browser",
    Event.SESSIONS_ENDED: "Signed out everywhere",
    Event.UNLOCKED: "Unlocked",
    Event.PASSWORD_CHANGED: "Changed own password",
    Event.PASSWORD_SET: "Password set by an administrator",
    Event.PASSWORD_CODE_MADE: "Password code created",
    Event.SECOND_FACTOR_SET_UP: "Second factor set up",
    Event.SECOND_FACTOR_REMOVED: "Second factor removed",
    Event.SECOND_FACTOR_RESET: "Second factor reset by an administrator",
    Event.RECOVERY_CODES_MADE: "Recovery codes replaced",
    Event.UNSAVED_VALUES_SHOWN: "Showed unsaved values to colleagues",
    Event.UNSAVED_VALUES_HIDDEN: "Hid unsaved values from colleagues",
    Event.PROFILE_ADDED: "User added",
    Event.PROFILE_RENAMED: "User renamed",
    Event.EMAIL_CHANGED: "Email of a user changed",
    Event.ROLE_CHANGED: "Role changed",
    Event.PROFILE_ACTIVATED: "User activated",
    Event.PROFILE_DEACTIVATED: "User deactivated",
    Event.CLIENT_ADDED: "Client added",
    Event.RESTRICTED: "Client restricted",
    Event.UNRESTRICTED: "Client shown to all users",
    Event.GRANTED: "Access to a client granted",
    Event.GRANT_TAKEN: "Access to a client revoked",
    Event.ACCESS_GAINED: "Gained access to restricted clients",
    Event.ACCESS_LOST: "Lost access to restricted clients",
    Event.IMPORTED: "Client records imported",
    Event.EXPORTED: "Exported",
    Event.PROCEEDED_ANYWAY: "Proceeded although others were there",
    Event.CONFLICT_OVERRIDDEN: "Overrode another user’s change",
    Event.REVERTED: "Change undone",
    Event.NOTE_REDACTED: "Note redacted",
    Event.READS_VIEWED: "Looked up who has read clients",
    Event.AUDIT_PURGED: "Old audit events removed",
    Event.HISTORY_PURGED: "Old history removed",
}
