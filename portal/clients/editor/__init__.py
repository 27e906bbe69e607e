"""The editors, their drafts and the conflict page."""
