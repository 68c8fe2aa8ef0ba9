"""Records of the built-in models: ids, options and places; importing them imports nothing heavy."""

from __future__ import annotations

from auditkit import Component, component
from auditkit_plugins.models.options import ResNet18Options, SmallCNNOptions, TorchvisionOptions

MODELS: tuple[Component, ...] = (
    component(
        "resnet18",
        "auditkit_plugins.models.resnet:ResNet18",
        options=ResNet18Options,
        summary="ResNet-18 (He et al. 2016), 11 million weights",
    ),
    component(
        "torchvision",
        "auditkit_plugins.models.by_name:TorchvisionNetwork",
        options=TorchvisionOptions,
        summary="any classification network of torchvision by name",
    ),
    component(
        "small-cnn",
        "auditkit_plugins.models.small:SmallCNN",
        options=SmallCNNOptions,
        summary="a plain convolutional network of 24 thousand weights, for trials on a CPU",
    ),
)
