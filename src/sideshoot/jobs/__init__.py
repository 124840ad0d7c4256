"""A job's life: its record, its worker, its events, its limits, and its recovery."""
