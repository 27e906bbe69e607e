"""Implement two-factor authentication: TOTP, one-time codes and encrypted secrets."""
