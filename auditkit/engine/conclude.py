"""From stored predictions to everything a report is drawn from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from auditkit.cohort import Rows, known_people
from auditkit.engine.drawing import Drawing
from auditkit.engine.identical import checksums
from auditkit.engine.panels import make_panels
from auditkit.engine.plan import Unit
from auditkit.engine.prepare import Prepared
from auditkit.engine.probed import probed
from auditkit.engine.versions import versions
from auditkit.evidence.composition import composition, leaks
from auditkit.evidence.facts import Facts, UnitFacts
from auditkit.evidence.findings import derive
from auditkit.evidence.flips import flips
from auditkit.evidence.judgements import judge_gates, judge_published
from auditkit.evidence.panel import Panel
from auditkit.evidence.results import Composition, Curve, Flip, FlipCount, Leak, Results, ScanRow
from auditkit.evidence.scan import ScannedPools, Split, scan
from auditkit.predictions import Predictions


def conclude(prepared: Prepared) -> Results:
    """Derive everything from the units that are done; the command, and where gates stand in the file, are left open."""
    audit, store = prepared.read.resolved.audit, prepared.store
    evidence = audit.evidence
    done = [unit for unit in prepared.plan.units if store.has(unit.digest)]
    predictions = {unit.digest: store.predictions(unit.digest) for unit in done}
    panels = make_panels(prepared.plan, predictions, prepared.dataset)
    derived = derive(panels, evidence, prepared.metrics(), seed=audit.data.seed)
    drawing = Drawing(prepared)
    turned, counted = _flips(prepared, panels)
    found, scanned = _scan(prepared, predictions)
    other, probes = probed(prepared, panels)
    same, remarks = checksums(prepared.dataset, prepared.pools.rows)
    return Results(
        findings=(*derived.findings, *other),
        families={**derived.families, **scanned, **probes},
        remarks=derived.remarks,
        compositions=tuple(_compositions(prepared, done, drawing)),
        leaks=tuple(_leaks(prepared, done, drawing, same)),
        curves=tuple(_curve(prepared, unit) for unit in done),
        scan=found,
        flips=turned,
        flip_counts=counted,
        published=judge_published(
            audit.published, derived.findings, evidence, not_judged=_not_judged(prepared), plain=_plain(prepared)
        ),
        gates=judge_gates(audit.gate, derived.findings, evidence, not_judged=_no_gates(prepared)),
        facts=facts(prepared, done, *remarks),
    )


def _plain(prepared: Prepared) -> set[str]:
    """The metrics that are no shares."""
    return {chosen.component.id for chosen in prepared.read.resolved.metrics if not _percent(prepared, chosen)}


def _flips(prepared: Prepared, panels: Iterable[Panel]) -> tuple[tuple[Flip, ...], tuple[FlipCount, ...]]:
    evidence, names = prepared.read.resolved.audit.evidence, prepared.dataset.file_names
    pairs = [flips(panel, evidence, names) for panel in panels if panel.test == "plain"]
    return tuple(f for turned, _ in pairs for f in turned), tuple(c for _, counted in pairs for c in counted)


def _scan(prepared: Prepared, predictions: Mapping[str, Predictions]) -> tuple[tuple[ScanRow, ...], Mapping[str, int]]:
    """The reference's error inside and outside of every attribute, on valid as in Table 3, on test without a valid."""
    audit, dataset = prepared.read.resolved.audit, prepared.dataset
    if not audit.evidence.scan:
        return (), {}
    split: Split = "valid" if len(prepared.pools.valid) else "test"
    panels = [p for p in make_panels(prepared.plan, predictions, dataset, split) if p.test == "plain"]
    pools = ScannedPools(dataset.attributes, prepared.pools.train, prepared.pools.valid)
    pairs = [scan(panel, audit.evidence, pools, seed=audit.data.seed, split=split) for panel in panels]
    families = {name: size for _, found in pairs for name, size in found.items()}
    return tuple(row for rows, _ in pairs for row in rows), families


def _not_judged(prepared: Prepared) -> str:
    """Why no published figure is judged; "" where they are."""
    return "synthetic data" if prepared.dataset.synthetic else ""


def _no_gates(prepared: Prepared) -> str:
    """A gate asks about the data that the audit names; a stand-in can neither keep nor break it."""
    return "stand-in data" if prepared.read.stand_in else ""


def _first_seeds(done: list[Unit]) -> Iterator[Unit]:
    """One unit per task and arm; the others differ only in the seed of their draw."""
    seen: set[tuple[str, str]] = set()
    for unit in done:
        if (unit.task.label, unit.arm.name) not in seen:
            seen.add((unit.task.label, unit.arm.name))
            yield unit


def _compositions(prepared: Prepared, done: list[Unit], drawing: Drawing) -> Iterator[Composition]:
    evidence, dataset = prepared.read.resolved.audit.evidence, prepared.dataset
    reference = evidence.reference or prepared.read.resolved.arms[0].name
    for unit in _first_seeds(done):
        first = prepared.plan.unit(unit.task.label, reference, 0)
        if not drawing.known(first) or drawing.broken(first):
            continue
        yield composition(
            drawing.of(unit).train,
            drawing.of(first).train,
            dataset.attributes,
            dataset.identities,
            evidence.groups,
            task=unit.task.label,
            arm=unit.arm.name,
        )


def _leaks(prepared: Prepared, done: list[Unit], drawing: Drawing, same: Rows | None) -> Iterator[Leak]:
    for unit in _first_seeds(done):
        draws = drawing.of(unit)
        test = "resampled" if (draws.test.copy > 0).any() else "plain"
        names = {"task": unit.task.label, "arm": unit.arm.name, "name": test}
        yield from leaks(draws.train, draws.test, prepared.dataset.identities, same, **names)


def _curve(prepared: Prepared, unit: Unit) -> Curve:
    history = prepared.store.history(unit.digest)
    return Curve(
        unit.task.label,
        unit.arm.name,
        unit.seed,
        tuple(epoch["loss"] for epoch in history),
        tuple(epoch["accuracy"] for epoch in history),
    )


def facts(prepared: Prepared, done: list[Unit], *remarks: str) -> Facts:
    """What reports say about the run itself, with more remarks on the data; the command is left open."""
    read, dataset = prepared.read, prepared.dataset
    return {
        "title": read.resolved.audit.audit.title,
        "dataset": {
            "kind": dataset.kind,
            "synthetic": dataset.synthetic,
            "place": dataset.place,
            "images": len(dataset),
            "identities": None if dataset.identities is None else known_people(dataset.identities),
            "fingerprint": dataset.fingerprint,
            "notes": [*dataset.notes, *remarks],
        },
        "splits": _splits(prepared),
        "units": [_unit_facts(prepared, unit) for unit in done],
        "versions": versions(),
        "plugins": _plugins(prepared),
        "protocol": "split after resampling" if read.resolved.audit.data.split_after_resampling else "split first",
        "scale": read.settings.scale,
        "profile": read.settings.profile,
        "stand_in": read.stand_in,
        "overrides": list(read.settings.sets),
        "samplers": {arm.name: arm.sampler.record()["options"] for arm in read.resolved.arms},
        "warnings": _warnings(prepared, done),
        "words": read.resolved.audit.words,
        "metrics": {chosen.component.id: {"percent": _percent(prepared, chosen)} for chosen in read.resolved.metrics},
        "audit": read.resolved.audit.model_dump(mode="json", by_alias=True, exclude={"profile", "stand_in"}),
    }


def _percent(prepared: Prepared, chosen: Any) -> bool:
    return bool(prepared.read.registry.load_class(chosen).percent)


def _splits(prepared: Prepared) -> dict[str, int | None]:
    pools, people = prepared.pools, prepared.dataset.identities
    sizes: dict[str, int | None] = {"train": len(pools.train), "valid": len(pools.valid), "test": len(pools.test)}
    sizes["test_identities"] = None if people is None else known_people(people[pools.test])
    return sizes


def _unit_facts(prepared: Prepared, unit: Unit) -> UnitFacts:
    stored = prepared.store.facts(unit.digest)
    return {
        "task": unit.task.label,
        "arm": unit.arm.name,
        "seed": unit.seed,
        "digest": unit.digest,
        "device": stored["device"],
        "pixels": stored.get("pixels", ""),
        "precision": stored["precision"],
        "steps": _steps(stored),
        "threads": stored["threads"],
        "seconds": stored["seconds"],
        "images_per_second": stored["images_per_second"],
        "visits": stored["visits"],
    }


def _plugins(prepared: Prepared) -> list[str]:
    resolved = prepared.read.resolved
    chosen = [resolved.dataset, *resolved.metrics]
    for arm in resolved.arms:
        chosen += [arm.sampler, arm.objective, arm.model]
    return sorted({f"{c.kind} {c.component.id} ({c.distribution} {c.version})" for c in chosen})


def _warnings(prepared: Prepared, done: list[Unit]) -> list[str]:
    """What a reader should know before trusting a contrast."""
    missing = [unit.label for unit in prepared.plan.units if unit not in done]
    said = [f"not trained: {', '.join(missing)}"] if missing else []
    made = [_made(prepared.store.facts(unit.digest)) for unit in done]
    for what in made[0] if made else ():
        found = sorted({unit[what] for unit in made} - {""})
        if len(found) > 1:
            said.append(f"units differ in {what} ({', '.join(found)}); contrasts mix them")
    return said


_KERNELS = {"True": "with", "False": "without"}


def _made(stored: Mapping[str, Any]) -> dict[str, str]:
    """What the last bits of a unit depend on besides its inputs, by its name in warnings; "" where it is not known."""
    known = stored.get("versions", {})
    return {
        **{what: str(stored[what]) for what in ("threads", "precision", "device")},
        "steps": _steps(stored),
        "own kernels": _KERNELS.get(str(stored.get("own_kernels")), ""),
        **{f"versions of {name}": known.get(name, "") for name in ("auditkit", "numpy", "torch", "torchvision")},
    }


def _steps(stored: Mapping[str, Any]) -> str:
    return " and ".join(stored.get("steps", ()))
