"""What the keys of an audit file mean: the words for its reference and for editors, which read the JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

MEANINGS: Mapping[str, Mapping[str, str]] = {
    "Audit": {
        "audit": "what is asked, and who asked it first",
        "data": "the dataset, the pools of the splits, and the seed of every draw",
        "task": "what networks learn to predict; each task is trained separately",
        "recipe": "how every arm is trained, unless the arm says otherwise",
        "arm": "the ways of training that are compared",
        "evidence": "what is asked of the predictions, declared before looking",
        "published": "figures that somebody printed, to stand beside ours",
        "gate": "conditions that decide the exit code",
        "words": 'words for levels, as in { Male = { 0 = "women", 1 = "men" } }',
        "profile": "[profile.NAME]: a partial audit that --profile NAME lays over the file",
        "stand_in": "what runs, loudly, when no data was configured",
    },
    "About": {
        "title": "title of the report",
        "question": "the question, which heads the report",
        "source": "who asked it first",
        "notes": "remarks for the reader, shown among the facts of the report",
    },
    "Data": {
        "dataset": "where images and attributes come from",
        "place": "folder or file of the data; --data and AUDITKIT_DATA go before",
        "seed": "drives draws and splits; the recipe's seeds drive training",
        "train": "the training pool",
        "valid": "the validation pool, where hold_out does not make one",
        "test": "the test pool; there is none under split_after_resampling",
        "image": "size of the images",
        "split_by": "what `hold_out`, and a split of data that has none, keep together",
        "split_after_resampling": "as published: resample first, split afterwards; images get on both sides",
    },
    "Pool": {
        "from": "the splits of the dataset that the pool is taken from",
        "draw": "how many images, drawn at random without replacement",
        "cells": "exact numbers of images per cell, without replacement",
    },
    "TrainPool": {
        "hold_out": "share of people (of images, where identities are unknown) kept for valid",
    },
    "Cell": {
        "where": "which images, as in { Male = 1, Young = 0 }",
        "count": "how many of them",
    },
    "Image": {
        "crop": "side of the centre square that is cut out; at most the image's shorter side",
        "size": "side in pixels that it is resized to",
    },
    "AfterResampling": {
        "train": "share of the resampled rows that is trained on",
        "valid": "share kept for valid; the rest is the test",
    },
    "Task": {
        "target": "the attribute that is predicted",
        "name": "name of the task; default the target",
        "positive": "the level that counts as positive; 0 turns an attribute of 0 and 1 around",
    },
    "Recipe": {
        "model": "the network",
        "init": '"imagenet", "none", "checkpoint:FILE", or the name of an arm whose weights are gone on from',
        "optimizer": "the optimizer",
        "schedule": "the course of the learning rate",
        "budget": "how long is trained: epochs or steps, not both",
        "batch_size": "images per step",
        "objective": "the loss",
        "augment": "what an augmented copy may change",
        "flip": "flip every training image at random in every epoch, in every arm",
        "select": "weights of the last or the best valid epoch",
        "precision": "number format of training; auto takes bfloat16 on a CPU that measures faster with it, and the "
        "faster of bfloat16 and float16 (with scaled losses) on an NVIDIA GPU; float32 convolutions there are "
        "TensorFloat32, as torch's are",
        "seeds": "one network per seed; with one seed training variance is not measured",
    },
    "SGD": {
        "use": "the optimizer",
        "lr": "learning rate; the peak under one-cycle",
        "momentum": "momentum",
        "nesterov": "Nesterov's momentum",
        "weight_decay": "weight decay",
    },
    "AdamW": {
        "use": "the optimizer",
        "lr": "learning rate; the peak under one-cycle",
        "weight_decay": "weight decay",
    },
    "Constant": {
        "use": "the schedule",
    },
    "OneCycle": {
        "use": "the schedule",
        "warm_up": "share of the steps in which the learning rate rises",
    },
    "Budget": {
        "epochs": "passes over the arm's own rows",
        "steps": "optimizer steps, the same for arms of any size",
    },
    "Augment": {
        "flip": "mirror half of the copies",
        "rotate": "largest angle in degrees",
        "scale": "largest crop, as a share of the side",
        "brightness": "largest change of brightness, as a share",
        "contrast": "largest change of contrast, as a share",
        "saturation": "largest change of saturation, as a share",
    },
    "Arm": {
        "name": "name of the arm",
        "init": "where the weights come from; default the recipe's",
        "train": '"head" trains the last layer only, on features that stay as they are',
        "on": "the split that is trained on; what trains on valid cannot be selected on it",
        "sampler": "which rows, how often, which of them augmented",
        "objective": "the loss; default the recipe's",
        "recipe": "a partial [recipe]",
        "seeds": "seeds of this arm; default the recipe's",
        "label": "what the report calls the arm",
        "role": "how the report treats it; the contrast against a placebo is the headline",
    },
    "Evidence": {
        "reference": "the arm that changes are measured from; default the first",
        "placebo": "a second arm that changes are measured from, and whose contrast is the headline; or the placebo of "
        'each arm that has one, as in { oversampled = "placebo" }',
        "groups": 'attributes whose combined levels are the groups, as in [["Male"], ["Male", "Young"]]',
        "metrics": "what is measured in every group",
        "margin": "what counts as no change",
        "confidence": "confidence of every interval",
        "replicates": "how often people are resampled",
        "minimum_images": "fewer distinct images behind a denominator: not estimable",
        "minimum_identities": "fewer people behind a denominator: not estimable",
        "spillover": "the change in accuracy inside less outside of every attribute of the table, as exploration",
        "scan": "the reference arm's error inside and outside of every attribute",
        "targets": 'other attributes that last-layer probes on frozen features are asked; "*" is all of them',
    },
    "Gate": {
        "finding": "the finding whose interval decides",
        "at_most": "passed when the whole interval is at most this",
        "at_least": "passed when the whole interval is at least this",
        "name": "what the report calls the gate",
    },
    "Published": {
        "where": "where it was printed",
        "finding": "the finding of ours that answers to it",
        "value": "the figure",
        "label": "what the figure is, where no finding of ours answers to it",
        "protocol": '"same" if the audit follows the publication\'s protocol; otherwise it gets no verdict',
        "precision": "how the figure was printed, which says what values it can stand for",
        "note": "a remark on the figure",
    },
    "Selector": {
        "task": "name of the task",
        "arm": "name of the arm",
        "metric": "id of a metric among those of [evidence]",
        "over": "attributes whose combined levels are the groups",
        "at": "the group; of a gap: attributes of `over` held at a level, so that the gap is over the others "
        "within it, as in over = ['Male', 'Young'], at = { Male = 1 }: old against young among men",
        "quantity": "value: of one group; gap: largest less smallest; signed_gap: second level less first; ratio: "
        "smallest over largest; change...: the arm's less that of the arm it is measured from",
        "test": '"resampled" is the test part with its copies, under split_after_resampling only',
        "against": "the arm that a change is measured from; default the reference",
    },
    "StandIn": {
        "dataset": "the dataset that stands in",
        "profile": "the profile that goes with it",
    },
}
"""By the name of a table's type, what each of its keys means; keys that are inherited stand where they began."""


def meaning_of(table: type[BaseModel], key: str) -> str:
    """What a key of a table means; "" where it is no key of an audit file."""
    return next((MEANINGS[home.__name__][key] for home in table.__mro__ if key in MEANINGS.get(home.__name__, ())), "")
