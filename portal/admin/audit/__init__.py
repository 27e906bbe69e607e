"""The audit log for administrators: page, CSV and `flask audit`."""
