"""Sign-in sessions: one row each in `sign_in_sessions`."""
