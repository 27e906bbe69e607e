"""Drafts: unsaved form input, kept on the server."""
