"""Lay a report out once, so that terminal, Markdown and HTML cannot disagree."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from auditkit.evidence.results import Results
from auditkit.report import (
    answer,
    claims,
    contrasts,
    effects,
    exploring,
    headline,
    material,
    methods,
    probing,
    recipe,
    screen,
    side_by_side,
    standing,
    tables,
    view,
)
from auditkit.report.blocks import Document, Section
from auditkit.report.view import Topic, View
from auditkit.spec.model import Audit

SECTIONS: tuple[Callable[[View], Section | None], ...] = (
    effects.by_group,
    effects.gaps,
    effects.changes,
    effects.dose,
    effects.other_metrics,
    side_by_side.tasks,
    material.composition,
    exploring.error_shares,
    exploring.spillover,
    probing.other_targets,
    exploring.scan,
    exploring.flips,
    material.leaks,
    material.curves,
    claims.published,
    claims.gates,
    methods.methods,
    recipe.recipe,
    methods.facts,
)
"""The order of the report; a section without content is left out."""


def build(audit: Audit, results: Results) -> Document:
    """Lay out the results of an audit as formatted cells."""
    seen = view.of(audit, results)
    found = contrasts.contrasts(seen)
    sections = (section(seen) for section in SECTIONS)
    return Document(
        title=audit.audit.title or seen.facts.get("title", ""),
        banner=screen.banner(seen),
        question=audit.audit.question,
        answer=answer.answer(seen, found) or standing.answer(seen) or ("No change between arms could be measured.",),
        strip=screen.strip(seen),
        effect=tuple(headline.effect(seen, contrast) for contrast in found[:1]),
        glance=tuple(tables.values(seen, topic, all_together=False) for topic in _first(seen, found)),
        trust=screen.trust(seen),
        gates=screen.gates(seen),
        sections=tuple(section for section in sections if section is not None),
        footer=_footer(seen),
    )


def _first(view: View, found: Sequence[contrasts.Contrast]) -> tuple[Topic, ...]:
    """The groups that the answer is about."""
    return (*(contrast.topic for contrast in found), *effects.main_topics(view))[:1]


def _footer(seen: View) -> str:
    version = seen.facts.get("versions", {}).get("auditkit", "")
    return " · ".join(filter(None, (f"auditkit {version}".strip(), seen.facts.get("command", ""))))
