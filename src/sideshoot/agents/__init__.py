"""Agents: each turns a task into events and an outcome, and knows nothing of git or jobs."""
