"""Manage sign-in sessions. Each session has one row in `sign_in_sessions`."""
