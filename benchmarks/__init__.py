"""What each step costs, next to the plain git commands that would do the same."""
