"""Show the audit log to administrators and compliance: page, CSV and `flask audit`."""
