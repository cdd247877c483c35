"""Files that matrices come in, read and written."""
