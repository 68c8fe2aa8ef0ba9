"""A sampler under an id that is taken."""

import auditkit


class Oversample(auditkit.Sampler):
    """Everyone twice."""

    def draw(self, cohort, inputs, rng):
        return auditkit.Draw(rows=cohort.rows.repeat(2))


@auditkit.hookimpl
def auditkit_samplers():
    return [auditkit.component("oversample", Oversample)]
