"""The certified minimiser: found to the floor of the arithmetic, with a proof."""
