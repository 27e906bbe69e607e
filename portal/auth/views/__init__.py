"""Pages for signing in, choosing a password and managing one's own account."""
