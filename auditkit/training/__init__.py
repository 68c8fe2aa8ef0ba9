"""The training wing: pixels and weights, and no group label."""
