"""Define the signals that auth sends to the layers above it."""

from blinker import Namespace

# Sent when sign-in sessions end. `profile_id` is the profile whose sessions ended, None for all profiles.
# Receivers act once the transaction has committed (portal/live/outbox.py).
sessions_ended = Namespace().signal("sessions-ended")
# Sent when a profile shows or hides its unsaved values to colleagues, as `profile_id`.
sharing_changed = Namespace().signal("sharing-changed")
