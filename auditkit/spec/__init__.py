"""The audit file: what it may say, and where each mistake stands."""
