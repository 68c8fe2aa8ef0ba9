"""What is known of the official CelebA: its attributes and counts (facts), and digests of its annotations."""

from __future__ import annotations

from types import MappingProxyType

ATTRIBUTES = (
    "5_o_Clock_Shadow", "Arched_Eyebrows", "Attractive", "Bags_Under_Eyes", "Bald", "Bangs", "Big_Lips", "Big_Nose",
    "Black_Hair", "Blond_Hair", "Blurry", "Brown_Hair", "Bushy_Eyebrows", "Chubby", "Double_Chin", "Eyeglasses",
    "Goatee", "Gray_Hair", "Heavy_Makeup", "High_Cheekbones", "Male", "Mouth_Slightly_Open", "Mustache", "Narrow_Eyes",
    "No_Beard", "Oval_Face", "Pale_Skin", "Pointy_Nose", "Receding_Hairline", "Rosy_Cheeks", "Sideburns", "Smiling",
    "Straight_Hair", "Wavy_Hair", "Wearing_Earrings", "Wearing_Hat", "Wearing_Lipstick", "Wearing_Necklace",
    "Wearing_Necktie", "Young",
)  # fmt: skip
IMAGES = 202_599
WIDTH, HEIGHT = 178, 218
SPLIT_SIZES = (162_770, 19_867, 19_962)
SPLIT_ENDS = (162_770, 182_637)
"""Numbers of the last train image and the last valid image: the official splits are ranges of file numbers."""
PEOPLE = 10_177

POSITIVES = MappingProxyType(
    {
        "Male": (68_261, 8_458, 7_715),
        "Young": (126_788, 14_832, 15_114),
        "Bald": (3_713, 411, 423),
        "Big_Nose": (38_341, 4_943, 4_232),
    }
)
"""Images with the attribute in train, valid and test."""

DIGESTS = MappingProxyType(
    {
        "labels": "f5dacd2f9e2131ef37097db7a0d694e66f55a5a88c41ec4cb8337fb825e7a26e",
        "splits": "15f2b46df4fcf9990457bdcebd7cb1d71944505cf35215b21ee87dfdd4a18fe9",
        "identities": "4739f128e23834076b1ee6f42b7efad1968418c47d903b4937ca2b2df91d2511",
    }
)
"""SHA-256 of the canonical content of the official annotation files; see `annotations.Annotations.digests`."""
