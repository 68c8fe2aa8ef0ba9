"""``auditkit validate``: every mistake of every file, each at its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import click

from auditkit.cli.codes import Code
from auditkit.cli.options import NO_PLUGIN, SETS
from auditkit.contracts import Level
from auditkit.engine.checking import Checked, check
from auditkit.engine.places import named_place, overruled
from auditkit.engine.registry import Registry
from auditkit.engine.resolution import Chosen, ResolvedAudit
from auditkit.errors import AuditError, RunFailed
from auditkit.spec import reader
from auditkit.spec.problems import Placed, placed, told
from auditkit.spec.source import Source
from auditkit.spec.words import plural


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the command line says beside the files."""

    profile: str | None
    sets: tuple[str, ...]
    data: Path | None


@dataclass(slots=True)
class _Names:
    """Attribute names of a dataset, from a header at most; `remarks` say where they could not be had.

    `wrong` says that the place which the user named is the reason.
    """

    registry: Registry
    place: Path | None
    remarks: dict[str, None] = field(default_factory=dict)
    wrong: bool = False

    def levels_of(self, dataset: Chosen) -> Mapping[str, tuple[Level, ...]] | None:
        levels: Mapping[str, tuple[Level, ...]] | None
        try:
            if self.place is not None and not self.place.exists():
                raise AuditError(f"there is no {self.place}")
            levels = self.registry.attribute_levels(dataset, self.place)
        except RunFailed:
            raise
        except AuditError as error:
            self._remark(str(error))
            self.wrong = self.place is not None
            return None
        if levels is None:
            self._remark(f"dataset {dataset.component.id!r} knows them from its data only; name the place with --data")
        return levels

    def _remark(self, why: str) -> None:
        self.remarks[f"names of attributes were not checked: {why}"] = None


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("--profile", metavar="NAME", help="Check with [profile.NAME] applied, and nothing else.")
@SETS
@click.option("--data", type=click.Path(path_type=Path), help="Folder or file of the data, for attribute names.")
@NO_PLUGIN
def validate(
    files: tuple[Path, ...], profile: str | None, sets: tuple[str, ...], data: Path | None, disabled: tuple[str, ...]
) -> int:
    """Check audit files: every mistake at once, each with its place. Trains nothing and opens no data.

    Each file is checked as it stands, with every profile, and with its stand-in. Exit code 2 if anything is wrong.
    """
    registry = Registry.load(disabled=disabled)
    asked = _Asked(profile, sets, data)
    return max(_validate(registry, file, asked) for file in files)


def _validate(registry: Registry, file: Path, asked: _Asked) -> int:
    try:
        source = reader.read(file, profile=asked.profile, sets=asked.sets)
        names = _Names(registry, named_place(file, source.values, asked.data))
        forms = list(_forms(registry, source, names, asked))
    except AuditError as error:
        click.echo(str(error), err=True)
        return Code.RUN_FAILED if isinstance(error, RunFailed) else Code.BAD_INPUT
    for remark in filter(None, (overruled(file, source.values, asked.data), *names.remarks)):
        click.echo(f"{file}: {remark}", err=True)
    found: list[Placed] = []
    for remark, form in forms:
        found += placed(form.problems, form.source, remark)
    if found:
        click.echo(told(found), err=True)
    elif (resolved := forms[0][1].resolved) is not None and not names.wrong:
        click.echo(f"{file}: valid · {_summary(resolved)}")
    return Code.BAD_INPUT if found or names.wrong else Code.DONE


def _forms(registry: Registry, source: Source, names: _Names, asked: _Asked) -> Iterator[tuple[str, Checked]]:
    """The file as it stands; then, unless a profile was asked for, with each profile and with the stand-in."""
    yield "", check(registry, source, names.levels_of)
    if asked.profile is not None:
        return
    known = source.values.get("profile")
    for name in known if isinstance(known, Mapping) else ():
        form = reader.read(source.path, profile=name, sets=asked.sets)
        yield f" (with --profile {name})", check(registry, form, names.levels_of)
    if "stand_in" in source.values:
        form = reader.read(source.path, sets=asked.sets, stand_in=True)
        yield " (with the stand-in)", check(registry, form, _Names(registry, None).levels_of)


def _summary(resolved: ResolvedAudit) -> str:
    audit = resolved.audit
    parts = [
        plural(len(audit.task), "task"),
        plural(len(resolved.arms), "arm"),
        plural(max(len(arm.seeds) for arm in resolved.arms), "seed"),
        f"dataset {resolved.dataset.component.id}",
        plural(len(audit.gate), "gate"),
        plural(len(audit.published), "published figure"),
        plural(len(audit.profile), "profile"),
    ]
    return ", ".join(parts)
