"""Classification networks of torchvision, by name."""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import cached_property
from typing import Any

import torch
from torch import nn
from torchvision import models

from auditkit import AuditError, Model, PretrainedFile
from auditkit_plugins.models.options import TorchvisionOptions

_AUXILIARY = ("googlenet", "inception_v3")  # in training they answer with several tensors
_HASH = re.compile(r"-([0-9a-f]{8,64})\.\w+$")


class TorchvisionNetwork(Model):
    """Any classification network of torchvision by name."""

    Options = TorchvisionOptions

    def build(self, outputs: int) -> nn.Module:
        """Return the network without pretrained weights."""
        return build(self._name, outputs)

    def head(self) -> str:
        """Name of the network's last torch.nn.Linear."""
        with torch.device("meta"):
            linear: list[str] = [
                name for name, module in build(self._name, 2).named_modules() if isinstance(module, nn.Linear)
            ]
        if not linear:
            raise AuditError(
                f"the last layer of {self._name!r} is not a torch.nn.Linear", hint="choose another network"
            )
        return linear[-1]

    def imagenet(self) -> PretrainedFile | None:
        """Where torchvision's best ImageNet weights can be had."""
        return published(self._name)

    @cached_property
    def _name(self) -> str:
        name = str(self.options.name)
        known = [n for n in models.list_models(module=models) if n not in _AUXILIARY]
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"one of: {', '.join(known)}"
            raise AuditError(f"torchvision has no classification network {name!r} that can be used here", hint=hint)
        return name


def build(name: str, outputs: int, **options: Any) -> nn.Module:
    """The network of that name with `outputs` logits."""
    network: nn.Module = models.get_model(name, weights=None, num_classes=outputs, **options)
    return network


def published(name: str) -> PretrainedFile | None:
    """The checkpoint that torchvision publishes for a network, whose name carries the beginning of its SHA-256."""
    weights = getattr(models.get_model_weights(name), "DEFAULT", None)
    found = _HASH.search(weights.url) if weights is not None else None
    return PretrainedFile(weights.url, found[1]) if weights is not None and found is not None else None
