"""The evidence wing: predictions in, findings out, and no torch."""
