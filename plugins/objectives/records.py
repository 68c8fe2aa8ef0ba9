"""Records of the built-in objectives: ids, options and places; importing them imports nothing heavy."""

from __future__ import annotations

from auditkit import Component, component
from auditkit_plugins.objectives.options import CrossEntropyOptions, FocalOptions, GroupDROOptions, ReweightOptions

MODULE = "auditkit_plugins.objectives.losses"

OBJECTIVES: tuple[Component, ...] = (
    component(
        "cross-entropy",
        f"{MODULE}:CrossEntropy",
        options=CrossEntropyOptions,
        summary="the mean negative log-likelihood",
    ),
    component(
        "reweight",
        f"{MODULE}:Reweight",
        options=ReweightOptions,
        summary="cross-entropy in which rare strata weigh more",
    ),
    component(
        "group-dro",
        f"{MODULE}:GroupDRO",
        options=GroupDROOptions,
        summary="group distributionally robust optimisation (Sagawa et al. 2020): groups with high loss weigh more",
    ),
    component(
        "focal",
        f"{MODULE}:Focal",
        options=FocalOptions,
        summary="focal loss (Lin et al. 2017): images that are already right weigh less",
    ),
)
