"""The configuration that a run kept, checked before it is used again."""
