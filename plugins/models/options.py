"""Options of the built-in models; importing them imports nothing heavy."""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from auditkit import ModelOptions

_REGISTERED = re.compile(r'@register_model\((?:name="(\w+)")?\)[\s\S]*?\ndef (\w+)\(')
_UNFIT = ("googlenet", "inception_v3", "squeezenet1_0", "squeezenet1_1")
"""In training the first two answer with several tensors; the last layer of the others is no torch.nn.Linear."""
_LARGEST = 512
_SIDES = {
    "alexnet": (63, _LARGEST),
    "convnext": (32, _LARGEST),
    "densenet": (29, _LARGEST),
    "maxvit": (224, 224),
    "vgg": (32, _LARGEST),
    "vit": (224, 224),
}
"""By the beginning of a network's name, the sides of images that it takes, where not any from 16 pixels on."""


class ResNet18Options(ModelOptions):
    """How ResNet-18 begins."""

    stem: Literal["imagenet", "small"] = Field(
        default="imagenet",
        description="imagenet: 7x7 convolution of stride 2, pooling; small: 3x3 of stride 1, for images to 48 pixels",
    )

    def imagenet_weights(self) -> bool:
        """There are none for the small stem."""
        return self.stem == "imagenet"


class TorchvisionOptions(ModelOptions):
    """Which network."""

    name: str = Field(description='as in torchvision.models, such as "resnet50" or "mobilenet_v3_small"')

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        """Refuse what is no network that can be used here."""
        known = networks()
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"one of: {', '.join(known)}"
            raise ValueError(f"torchvision has no classification network {name!r} that can be used here; {hint}")
        return name

    def image_sides(self) -> tuple[int, int]:
        """As torchvision's networks of that family take them."""
        return next((sides for family, sides in _SIDES.items() if self.name.startswith(family)), (1, _LARGEST))


class SmallCNNOptions(ModelOptions):
    """How large the network is."""

    width: int = Field(
        default=16, ge=4, le=256, description="channels of the first block; each next block doubles them"
    )
    blocks: int = Field(default=3, ge=1, le=5, description="blocks, each of which halves the image")

    def imagenet_weights(self) -> bool:
        """Nobody has published any."""
        return False

    def image_sides(self) -> tuple[int, int]:
        """Every block halves the image, of which a pixel must be left."""
        return 2**self.blocks, _LARGEST


@cache
def networks() -> tuple[str, ...]:
    """Torchvision's classification networks that can be used here, read from its source: importing it takes seconds."""
    found = find_spec("torchvision")
    places = found.submodule_search_locations if found is not None else None
    files = sorted((Path(places[0]) / "models").glob("*.py")) if places else []
    matches = [match for file in files for match in _REGISTERED.finditer(file.read_text(encoding="utf-8"))]
    return tuple(sorted({match[1] or match[2] for match in matches} - {*_UNFIT}))
