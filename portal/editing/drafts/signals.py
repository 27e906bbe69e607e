"""Define the signal that drafts send to the layers above them."""

from blinker import Namespace

# Sent when a draft is stored or deleted, with its DraftKey as `key`. It carries no value.
# Receivers act once the transaction has committed (portal/live/outbox.py).
drafts_changed = Namespace().signal("drafts-changed")
