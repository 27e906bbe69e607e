"""The database: engines and pools, its state, retention, downgrades."""
