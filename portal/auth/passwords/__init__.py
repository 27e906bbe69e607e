"""Hash passwords and check new ones against the password policy."""
