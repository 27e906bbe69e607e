"""Engines and pools, the state of the database, retention and downgrades."""
