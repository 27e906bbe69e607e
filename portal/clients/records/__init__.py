"""The client record: models, entries, choices and revisions."""
