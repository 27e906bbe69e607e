"""Kingston's Portal: client records that several people edit at the same time without losing an edit."""
