"""Two-factor authentication: TOTP, one-time codes, encrypted secrets."""
