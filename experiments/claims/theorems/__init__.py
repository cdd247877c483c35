"""The theorems of the family side by side, each judged by the same statements."""
