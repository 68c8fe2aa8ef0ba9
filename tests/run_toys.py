"""A small audit that trains for real, and how to run it quickly."""

from __future__ import annotations

TOY = """\
[audit]
title = "Toy"
question = "What does copying bald faces do?"

[data]
dataset = { use = "faces", images = 240 }
train = { from = ["train", "valid"], hold_out = 0.1 }
image = { size = 32 }

[[task]]
target = "Male"

[recipe]
model = "small-cnn"
init = "none"
optimizer = { use = "sgd", lr = 0.05 }
budget = { epochs = 2 }
batch_size = 32
seeds = [0, 1]

[[arm]]
name = "original"

[[arm]]
name = "oversampled"
sampler = { use = "oversample", where = { Bald = 1 }, until = "balanced" }

[evidence]
reference = "original"
groups = [["Male"]]
metrics = ["accuracy", "true_positive_rate"]
replicates = 200
"""
QUICK = ("--device", "cpu", "--workers", "1", "--progress", "plain")
CELEBA = TOY.replace('{ use = "faces", images = 240 }', '"celeba"')
STAND_IN = CELEBA + '\n[stand_in]\ndataset = { use = "faces", images = 240 }\n'
