"""Edit client records: the editors, their drafts and the conflict page."""
