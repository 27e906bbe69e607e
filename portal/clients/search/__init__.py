"""Search clients, for the list and for quick open."""
