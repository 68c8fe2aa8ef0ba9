"""Choosing a component by the id that an audit names, and reading its options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from auditkit.contracts import Kind, Options
from auditkit.engine.discovery import Registered, Shelf, offers_of
from auditkit.engine.provenance import source_hash
from auditkit.engine.resolution import Chosen
from auditkit.errors import KeyPath, Problem
from auditkit.spec.drafts import Draft, drafted
from auditkit.spec.faults import Fault, read_options
from auditkit.spec.marks import counts
from auditkit.spec.messages import option_problem
from auditkit.spec.model import Use
from auditkit.spec.scale import scaled_count
from auditkit.spec.words import did_you_mean, listed, nearest


def choose(
    shelf: Shelf, kind: Kind, use: Use, path: KeyPath, scale: float = 1.0
) -> tuple[Chosen | None, list[Problem]]:
    """The component that a table names, with its options; problems have the table at `path`.

    With problems in the options, the component has what can be read of them: good for finding more problems.
    """
    offers = offers_of(shelf, kind, use.use)
    if len(offers) != 1:
        problem = _ambiguous(offers, path) if offers else _unknown(shelf, kind, use.use, path)
        return None, [problem]
    offer = offers[0]
    options, draft, problems = _options(offer, use, path, scale)
    if options is None:
        return None, problems
    source = source_hash(offer.distribution, offer.component.factory)
    chosen = Chosen(offer.kind, offer.component, options, offer.distribution, offer.version, source, draft)
    return chosen, problems


def _ambiguous(offers: Sequence[Registered], path: KeyPath) -> Problem:
    kind, name = offers[0].kind, offers[0].component.id
    providers = " and ".join(offer.provider for offer in offers)
    hint = f"write {listed(offer.address for offer in offers)}"
    return Problem((*path, "use"), f"{kind} {name!r} is offered by {providers}", hint)


def _unknown(shelf: Shelf, kind: Kind, name: str, path: KeyPath) -> Problem:
    others = sorted({offer.kind for offer in shelf.registered if offer.component.id == name})
    known = [offer.component.id for offer in shelf.registered if offer.kind == kind]
    if others:
        hint = f"{name!r} is a {others[0]}"
    elif nearest(name, known) is not None or len(known) <= 6:
        hint = did_you_mean(name, known)
    else:
        hint = "auditkit plugins list shows all"
    told = "; ".join([hint, *map(str, shelf.broken)] if hint else map(str, shelf.broken))
    return Problem((*path, "use"), f"unknown {kind} {name!r}", told)


def _options(
    offer: Registered, use: Use, path: KeyPath, scale: float
) -> tuple[Options | None, Draft[Options] | None, list[Problem]]:
    """The options; of mistaken ones what can be read of them, a draft that says how far, and the mistakes."""
    model, name = offer.component.options, f"{offer.kind} {offer.component.id!r}"
    try:
        options, found = read_options(model, use.options)
        if options is not None:
            scaled, problems = _scaled(options, scale, path, name)
            return scaled, None, problems
        draft = drafted(model, use.options, found)
    except Exception as error:
        said = f"{name} of {offer.provider} cannot read its options: {type(error).__name__}: {error}"
        return None, None, [Problem(path, said)]
    problems = [option_problem(fault, model, use.options, path, name) for fault in draft.faults]
    return draft.whole or draft.readable, draft, problems


def _scaled(options: Options, scale: float, path: KeyPath, name: str) -> tuple[Options, list[Problem]]:
    """The options with every number of images multiplied; where they rule that out, as they were, and what is wrong."""
    asked = {mark.path: mark.value for mark in counts(options)}
    if scale == 1.0 or not asked:
        return options, []
    values = options.model_dump(mode="json", by_alias=True)
    for at, count in asked.items():
        parent: Any = values
        for part in at[:-1]:
            parent = parent[part]
        parent[at[-1]] = scaled_count(count, scale)
    scaled, found = read_options(type(options), values)
    if scaled is not None:
        return scaled, []
    hints = [_scale_hint(fault, asked, scale) for fault in found]
    problems = [option_problem(fault, type(options), values, path, name) for fault in found]
    return options, [replace(problem, hint=hint) for problem, hint in zip(problems, hints, strict=True)]


def _scale_hint(fault: Fault, asked: Mapping[KeyPath, int], scale: float) -> str:
    """What helps against a rule that only a scaled number breaks."""
    count = asked.get(fault.path)
    made = "leads to this" if count is None else f"makes {scaled_count(count, scale):,} of {count:,}"
    return f"--scale {scale:g} {made}: choose another scale"
