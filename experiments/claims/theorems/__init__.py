"""The theorems of the family side by side, and how the constants that they use grow."""
