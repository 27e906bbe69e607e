"""Versions under every save, for any versioned record."""
