"""Show a user's desk: what colleagues work on now, and what waits for the user."""
