"""Serve the pages on which administrators manage users."""
