"""A disposable copy of a repository: opened, captured, compared, brought back, undone, removed."""
