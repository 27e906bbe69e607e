"""Show the audit log to administrators: page, CSV and `flask audit`."""
