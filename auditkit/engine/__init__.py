"""Plan, registry, store, executors, worker."""
