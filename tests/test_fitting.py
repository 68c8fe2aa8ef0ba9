"""What a network cannot do is refused before anything is made, decoded or trained."""

from __future__ import annotations

import pytest

from auditkit.testing import audit_project

AUDIT = """\
[audit]
title = "x"
[data]
dataset = { use = "faces", images = 300 }
test = { draw = 20 }
image = { size = 16 }
[[task]]
target = "Male"
[recipe]
model = "small-cnn"
init = "none"
[[arm]]
name = "a"
[[arm]]
name = "b"
init = "a"
"""
CHOOSE = 'write init = "none", or choose another model'
LACKS = "model 'small-cnn' has no ImageNet weights, which 'init' names or leaves at its default"


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ('init = "none"', 'init = "imagenet"', f"11:8: {LACKS}"),
        ('init = "none"\n', "", f"10:9: {LACKS}"),
        ('init = "a"', 'init = "imagenet"', f"16:8: {LACKS}"),
        ('init = "a"', 'recipe.init = "imagenet"', f"16:15: {LACKS}"),
        (
            '"small-cnn"\ninit = "none"',
            '{ use = "resnet18", stem = "small" }\ninit = "imagenet"',
            "11:8: model 'resnet18' has no ImageNet weights with these options, which 'init' names or leaves at its "
            "default",
        ),
        (
            'model = "small-cnn"',
            'model = { use = "small-cnn", blocks = 5 }',
            "6:18: model 'small-cnn' takes images of 32 to 512 pixels, and 'size' in [data.image] is 16",
        ),
        (
            'model = "small-cnn"',
            'model = { use = "torchvision", name = "vit_b_16" }',
            "6:18: model 'torchvision' takes images of 224 pixels, and 'size' in [data.image] is 16",
        ),
        (
            'init = "a"',
            'init = "a"\nrecipe.model = { width = 8 }',
            "16:8: arm 'b' starts from arm 'a', whose network is another: model 'small-cnn' here, other options there",
        ),
        (
            'init = "a"',
            'init = "a"\nrecipe.model = "resnet18"',
            "16:8: arm 'b' starts from arm 'a', whose network is another: model 'resnet18' here, 'small-cnn' there",
        ),
        (
            'model = "small-cnn"',
            'model = { use = "torchvision", name = "resnet19" }',
            "10:39: option 'name' of model 'torchvision' is wrong: torchvision has no classification network "
            "'resnet19' that can be used here; did you mean 'resnet18'?",
        ),
    ],
)
def test_what_a_network_cannot_do_is_a_mistake_of_the_file(right: str, wrong: str, said: str) -> None:
    assert right in AUDIT
    project = audit_project({"a.toml": AUDIT.replace(right, wrong, 1)})
    for command in ("validate", "plan", "run"):
        outcome = project.run(command, "a.toml").assert_code(2)
        assert [line for line in outcome.err.splitlines() if line.startswith("a.toml")] == [f"a.toml:{said}"]


def test_the_remedy_is_told() -> None:
    project = audit_project({"a.toml": AUDIT.replace('"none"', '"imagenet"', 1)})
    assert project.run("plan", "a.toml").assert_code(2).err == (
        f'a.toml:11:8: {LACKS}\n   11 | init = "imagenet"\n      |        ^^^^^^^^^^ {CHOOSE}\n'
        "1 mistake, nothing was run\n"
    )


def test_an_arm_of_its_own_model_is_told_at_it() -> None:
    own = 'recipe.model = "small-cnn"\n'
    text = AUDIT.replace('model = "small-cnn"\ninit = "none"', 'init = "imagenet"').replace('init = "a"\n', own)
    outcome = audit_project({"a.toml": text}).run("validate", "a.toml").assert_code(2)
    assert outcome.err.startswith(f"a.toml:15:16: {LACKS}\n")


def test_what_fits_is_accepted() -> None:
    audit_project({"a.toml": AUDIT}).run("validate", "a.toml").assert_success()


def test_nesterovs_momentum_needs_momentum() -> None:
    text = AUDIT.replace('init = "none"', 'init = "none"\noptimizer = { nesterov = true, momentum = 0.0 }', 1)
    said = "12:13: 'optimizer' in [recipe] is wrong: Nesterov's momentum needs a 'momentum' above 0"
    outcome = audit_project({"a.toml": text}).run("validate", "a.toml").assert_code(2)
    assert outcome.err.startswith(f"a.toml:{said}; leave out 'nesterov', or set it\n")


@pytest.mark.parametrize("content", ["", "{}", '[audit]\ntitle = "x"\n'])
def test_a_checkpoint_that_is_no_safetensors_file_is_refused_by_the_plan(content: str) -> None:
    files = {"a.toml": AUDIT.replace('"none"', '"checkpoint:weights.pt"', 1), "weights.pt": content}
    outcome = audit_project(files).run("plan", "a.toml").assert_code(2)
    assert outcome.err == "weights.pt: this is no safetensors file\n  weights are read from those only\n"
