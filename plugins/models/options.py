"""Options of the built-in models; importing them imports nothing heavy."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from auditkit import Options


class ResNet18Options(Options):
    """How ResNet-18 begins."""

    stem: Literal["imagenet", "small"] = Field(
        default="imagenet",
        description="imagenet: 7x7 convolution of stride 2, pooling; small: 3x3 of stride 1, for images to 48 pixels",
    )


class TorchvisionOptions(Options):
    """Which network."""

    name: str = Field(description='as in torchvision.models, such as "resnet50" or "mobilenet_v3_small"')


class SmallCNNOptions(Options):
    """How large the network is."""

    width: int = Field(
        default=16, ge=4, le=256, description="channels of the first block; each next block doubles them"
    )
    blocks: int = Field(default=3, ge=1, le=5, description="blocks, each of which halves the image")
