"""Figures of any sweep."""
