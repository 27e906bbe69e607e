"""Keep unsaved form input on the server (drafts)."""
