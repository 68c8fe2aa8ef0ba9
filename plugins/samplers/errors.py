"""Just train twice: repeat the images that another arm gets wrong (Liu et al., ICML 2021)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from auditkit import AuditError, Cohort, Draw, Need, Predictions, Sampler
from auditkit_plugins.samplers.copying import images, repeated
from auditkit_plugins.samplers.options import UpweightErrorsOptions


class UpweightErrors(Sampler):
    """Images that another arm gets wrong are repeated (just train twice)."""

    Options = UpweightErrorsOptions
    options: UpweightErrorsOptions

    @classmethod
    def needs(cls, options: UpweightErrorsOptions) -> tuple[Need, ...]:
        """What the other arm predicts for the images it was trained on."""
        return (Need(options.arm, "predictions", "train"),)

    def draw(self, cohort: Cohort, inputs: Mapping[Need, Draw | Predictions], rng: np.random.Generator) -> Draw:
        """Return the whole cohort, and copies of the images whose own picture (copy 0) the other arm gets wrong."""
        (there,) = inputs.values()
        if not isinstance(there, Predictions):
            raise TypeError("just train twice needs the predictions of another arm")
        own = there.on("train")
        plain = own.copy == 0
        self._refuse_gaps(int((~np.isin(cohort.rows, own.row[plain])).sum()), cohort)
        wrong = (own.margin > 0) != (own.truth == 1)
        repeat = np.isin(cohort.rows, own.row[plain & wrong])
        return repeated(cohort.rows, 1 + self.options.times * repeat.astype(np.int64), self.options.copies)

    def _refuse_gaps(self, missing: int, cohort: Cohort) -> None:
        if missing:
            raise AuditError(
                f"arm {self.options.arm!r} has no prediction for {missing:,} of {images(len(cohort))}",
                hint='read the errors of an arm that trains on every image, such as one with the sampler "none"',
            )
