"""Three-way merge of concurrent edits and the diffs that explain it."""
