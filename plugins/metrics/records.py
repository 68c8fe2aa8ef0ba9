"""Records of the built-in metrics: ids, options and places; importing them imports nothing heavy."""

from __future__ import annotations

from pydantic import Field

from auditkit import Component, Options, component

COUNTING = "auditkit_plugins.metrics.counting"
SCORING = "auditkit_plugins.metrics.scoring"


class CalibrationOptions(Options):
    """Options of the expected calibration error."""

    bins: int = Field(default=15, ge=2, le=100, description="number of bins of equal width in probability")


METRICS: tuple[Component, ...] = (
    component("accuracy", f"{COUNTING}:Accuracy", summary="(TP + TN) / all"),
    component("error_rate", f"{COUNTING}:ErrorRate", summary="(FP + FN) / all"),
    component("selection_rate", f"{COUNTING}:SelectionRate", summary="(TP + FP) / all"),
    component("true_positive_rate", f"{COUNTING}:TruePositiveRate", summary="TP / (TP + FN)"),
    component("false_positive_rate", f"{COUNTING}:FalsePositiveRate", summary="FP / (FP + TN)"),
    component("true_negative_rate", f"{COUNTING}:TrueNegativeRate", summary="TN / (FP + TN)"),
    component("false_negative_rate", f"{COUNTING}:FalseNegativeRate", summary="FN / (TP + FN)"),
    component("precision", f"{COUNTING}:Precision", summary="TP / (TP + FP)"),
    component("prevalence", f"{COUNTING}:Prevalence", summary="(TP + FN) / all, a fact of the test set"),
    component("count", f"{COUNTING}:Count", summary="number of images, a fact of the test set"),
    component("error_share", f"{COUNTING}:ErrorShare", summary="errors of the group / errors of all groups"),
    component("auroc", f"{SCORING}:AUROC", summary="chance that a positive scores above a negative"),
    component("brier", f"{SCORING}:Brier", summary="mean squared difference of probability and truth"),
    component(
        "expected_calibration_error",
        f"{SCORING}:ExpectedCalibrationError",
        options=CalibrationOptions,
        summary="mean distance of share and probability over bins of equal width",
    ),
)
