import auditkit


class EveryOther(auditkit.Sampler):
    """Keep every k-th row of the rows that match."""

    class Options(auditkit.Options):
        where: auditkit.Condition
        k: int = 2

    def draw(self, cohort, inputs, rng):
        match = cohort.matches(self.options.where)
        return auditkit.Draw(rows=cohort.rows[~match | (cohort.rank(match) % self.options.k == 0)])


@auditkit.hookimpl
def auditkit_samplers():
    return [auditkit.component("every-other", EveryOther)]
