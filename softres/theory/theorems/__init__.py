"""The theorems, one file for each paper: a class with a name is found by its folder."""
