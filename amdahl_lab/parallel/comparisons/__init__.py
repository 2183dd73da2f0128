"""Is B faster than A? Comparisons done well, and comparisons that fool whoever makes them."""
