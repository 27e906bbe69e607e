"""Serve the pages for signing in, choosing a password and managing the user's own account."""
