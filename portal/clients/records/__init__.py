"""Define client records: models, entries, choices and revisions."""
