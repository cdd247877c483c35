"""What every part stands on: errors, checks, arrays of two libraries, the cache."""
