"""Show who has read which client, to administrators and compliance. `permissions.record_read` writes the log."""
