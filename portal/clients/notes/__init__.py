"""Show, add, correct and redact dated notes about a client."""
