"""ResNet-18, with torchvision's stem or one for small images."""

from __future__ import annotations

from torch import nn

from auditkit import Model, PretrainedFile
from auditkit_plugins.models.by_name import build, published
from auditkit_plugins.models.options import ResNet18Options


class ResNet18(Model):
    """ResNet-18 (He et al. 2016), 11 million weights."""

    Options = ResNet18Options

    def build(self, outputs: int) -> nn.Module:
        """Return torchvision's network with `outputs` logits.

        The small stem is one convolution of 3 x 3 at stride 1 and no pooling, so that the blocks see every pixel; the
        published one is 7 x 7 at stride 2 and a pooling at stride 2, after which a side is a quarter as long. With that
        the first ReLU comes after the pooling, which gives the same values and gradients on a quarter of the pixels.
        """
        network = build("resnet18", outputs)
        if self.options.stem == "small":
            network.conv1 = nn.Conv2d(3, 64, kernel_size=3, stride=1, padding=1, bias=False)
            network.maxpool = nn.Identity()
        else:
            network.maxpool = nn.Sequential(nn.MaxPool2d(3, stride=2, padding=1), nn.ReLU(inplace=True))
            network.relu = nn.Identity()
        return network

    def head(self) -> str:
        """The fully connected layer."""
        return "fc"

    def imagenet(self) -> PretrainedFile | None:
        """Where torchvision's weights can be had; there are none for the small stem."""
        return published("resnet18") if self.options.stem == "imagenet" else None
