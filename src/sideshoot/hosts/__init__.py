"""Programs that call Sideshoot, and what stands in their files so that they can."""
