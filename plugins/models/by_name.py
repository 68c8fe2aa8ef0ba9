"""Classification networks of torchvision, by name."""

from __future__ import annotations

import re
from typing import Any

import torch
from torch import nn
from torchvision import models

from auditkit import AuditError, Model, PretrainedFile
from auditkit_plugins.models.options import TorchvisionOptions

_HASH = re.compile(r"-([0-9a-f]{8,64})\.\w+$")


class TorchvisionNetwork(Model):
    """Any classification network of torchvision by name."""

    Options = TorchvisionOptions

    def build(self, outputs: int) -> nn.Module:
        """Return the network without pretrained weights."""
        return build(self._name, outputs)

    def head(self) -> str:
        """Name of the network's last torch.nn.Linear."""
        linear: list[str] = [name for name, module in self._empty().named_modules() if isinstance(module, nn.Linear)]
        if not linear:
            raise AuditError(
                f"the last layer of {self._name!r} is not a torch.nn.Linear", hint="choose another network"
            )
        return linear[-1]

    def imagenet(self) -> PretrainedFile | None:
        """Where torchvision's best ImageNet weights can be had."""
        return published(self._name)

    def _empty(self) -> nn.Module:
        """The network, without memory for its weights where it can be built so: RegNets count with tensors."""
        try:
            with torch.device("meta"):
                return build(self._name, 2)
        except NotImplementedError:
            return build(self._name, 2)

    @property
    def _name(self) -> str:
        return str(self.options.name)


def build(name: str, outputs: int, **options: Any) -> nn.Module:
    """The network of that name with `outputs` logits."""
    network: nn.Module = models.get_model(name, weights=None, num_classes=outputs, **options)
    return network


def published(name: str) -> PretrainedFile | None:
    """The checkpoint that torchvision publishes for a network, whose name carries the beginning of its SHA-256."""
    weights = getattr(models.get_model_weights(name), "DEFAULT", None)
    found = _HASH.search(weights.url) if weights is not None else None
    return PretrainedFile(weights.url, found[1]) if weights is not None and found is not None else None
