"""A hook with a letter too few."""

import auditkit


@auditkit.hookimpl
def auditkit_sampler() -> list[auditkit.Component]:
    return []
