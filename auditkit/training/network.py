"""A plugin's network, cut before its last layer: what comes before may run in half precision, the last never does.

The margin is the difference of two logits; rounded to eight bits, many margins would be equal, or zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import ModuleType

import torch
from torch import nn

from auditkit import streams
from auditkit.contracts import Model
from auditkit.errors import AuditError
from auditkit.training.convolutions import use_products
from auditkit.training.pixels import Normalise

OUTPUTS = 2
_BODY, _HEAD = "body.", "head."
_CPU = torch.device("cpu")
_COUNTER = ".num_batches_tracked"  # absent from weights made before torch 0.4.1, ImageNet's among them


class Network(nn.Module):
    """Normalises images, unless the first layer does; `body` maps them to features, `head` features to two logits."""

    def __init__(self, model: nn.Module, head_name: str) -> None:
        super().__init__()
        head = _last_layer(model, head_name)
        self.head_name = head_name
        model.set_submodule(head_name, nn.Identity())
        self.normalise: nn.Module = Normalise()
        self.body = model
        self.head = head

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """(n, width) float32 outputs of everything before the last layer; images: (n, height, width, 3) uint8."""
        found: torch.Tensor = self.body(self.normalise(images))
        return found.to(torch.float32)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(n, 2) float32 logits of (n, height, width, 3) uint8 images."""
        return self.logits(self.features(images))

    def logits(self, features: torch.Tensor) -> torch.Tensor:
        """(n, 2) float32 logits from (n, width) features."""
        with torch.autocast(features.device.type, enabled=False):
            logits: torch.Tensor = self.head(features)
        return logits

    def weights(self) -> dict[str, torch.Tensor]:
        """State under the names that the plugin's own network gives it."""
        return {self._own_name(name): tensor for name, tensor in self.state_dict().items()}

    def load(self, weights: Mapping[str, torch.Tensor], *, where: str) -> None:
        """Take over weights by the plugin's names; a last layer of other shape, or none, leaves ours as it is.

        Raises AuditError when a tensor of the body is missing or has another shape. Tensors without a counterpart,
        such as auxiliary classifiers, are ignored.
        """
        own = self.weights()
        prefix = f"{self.head_name}."
        fits = {n: t for n, t in weights.items() if n in own and own[n].shape == t.shape}
        wrong = sorted(n for n in own if n not in fits and not n.startswith(prefix) and not n.endswith(_COUNTER))
        if wrong:
            raise AuditError(_mismatch(wrong, weights, own), where=where, hint="these are weights of another model")
        whole_head = all(n in fits for n in own if n.startswith(prefix))
        with torch.no_grad():
            for name, tensor in fits.items():
                if whole_head or not name.startswith(prefix):
                    own[name].copy_(tensor)

    def without_head(self, weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Weights but for those of the last layer, as when it answered another question."""
        return {name: t for name, t in weights.items() if not name.startswith(f"{self.head_name}.")}

    def _own_name(self, name: str) -> str:
        if name.startswith(_BODY):
            return name.removeprefix(_BODY)
        return f"{self.head_name}.{name.removeprefix(_HEAD)}"


def _mismatch(wrong: list[str], weights: Mapping[str, torch.Tensor], own: Mapping[str, torch.Tensor]) -> str:
    name = wrong[0]
    found = f"has shape {tuple(weights[name].shape)}" if name in weights else "is missing"
    more = f" ({len(wrong) - 1} more)" if len(wrong) > 1 else ""
    return f"the tensor {name!r} {found}, not shape {tuple(own[name].shape)}{more}"


def _last_layer(model: nn.Module, name: str) -> nn.Linear:
    try:
        layer = model.get_submodule(name)
    except AttributeError:
        layer = None
    if not isinstance(layer, nn.Linear):
        linear = [n for n, module in model.named_modules() if isinstance(module, nn.Linear)]
        hint = f"its head() should name one of: {', '.join(linear) or 'none, it has no torch.nn.Linear'}"
        raise AuditError(f"the model has no torch.nn.Linear named {name!r}", where=type(model).__name__, hint=hint)
    return layer


def build_network(model: Model, seed: int, device: torch.device = _CPU) -> Network:
    """Build the plugin's network on a device, channels last, with weights that depend on the seed alone."""
    torch.manual_seed(int(streams.generator(seed, "init").integers(2**63)))
    network = Network(model.build(OUTPUTS), model.head())
    _suit(network, device)
    return network.to(memory_format=torch.channels_last).to(device)


def _suit(network: Network, device: torch.device) -> None:
    """Let layers compute in the way that is fastest on the device."""
    if device.type == "cpu":
        use_products(network)
    elif device.type == "cuda" and not why_no_kernels(device):
        layers = _gpu_layers()
        if layers.use_gpu_layers(network.body, network.normalise if layers.can_read_bytes(device) else None):
            network.normalise = nn.Identity()  # the first layer does it


def why_no_kernels(device: torch.device) -> str:
    """Why layers of ResNets have no kernels of their own on a CUDA device; "" where they have."""
    try:
        return str(_gpu_layers().why_not(device))
    except ImportError as error:
        return str(error)


def has_kernels(network: nn.Module) -> bool:
    """Whether any of its layers has kernels of its own."""
    return _can_have(network) and bool(_gpu_layers().are_used(network))


def has_all_kernels(network: nn.Module) -> bool:
    """Whether all that normalise have kernels of their own: a compiler has little left to do then."""
    return _can_have(network) and bool(_gpu_layers().are_all(network))


def _can_have(network: nn.Module) -> bool:
    device = next(network.parameters()).device
    return device.type == "cuda" and not why_no_kernels(device)


@cache
def _gpu_layers() -> ModuleType:
    """Imported where it is needed: it needs Triton, which only torch for CUDA brings."""
    return import_module("auditkit.training.gpu_layers")


def margin(logits: torch.Tensor) -> torch.Tensor:
    """(n,) logit of positive minus logit of negative."""
    return logits[:, 1] - logits[:, 0]
