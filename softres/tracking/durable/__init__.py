"""Runs outlive servers, signals and other processes."""
