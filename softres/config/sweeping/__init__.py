"""A sweep: its jobs composed, those that are finished skipped, the others launched."""
