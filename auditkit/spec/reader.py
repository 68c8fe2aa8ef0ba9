"""From an audit file to a typed audit, with every mistake at its place.

The order of precedence, lowest first: the file, the stand-in's dataset and profile, the profile asked for, overrides.
Overrides of a profile or of the stand-in change these before they are laid over.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from auditkit.errors import AuditError, InvalidAudit, KeyPath, Problem
from auditkit.spec import overrides, profiles
from auditkit.spec.checks import check
from auditkit.spec.faults import faults
from auditkit.spec.merge import Layers, copied
from auditkit.spec.messages import audit_problem
from auditkit.spec.misnamed import mend_names
from auditkit.spec.model import Audit
from auditkit.spec.problems import Placed, report, told
from auditkit.spec.repair import frozen, repaired
from auditkit.spec.source import FILE, Place, Source
from auditkit.spec.spelling import mend, without_meant
from auditkit.spec.words import did_you_mean, nearest

_MALFORMED = {
    "invalid value": "text needs quotes; truth is true or false",
    "illegal character '\\n'": "a text in quotes ends on its line; three quotes make it longer",
}
"""What helps against the parser's most frequent complaints."""
_AUDIT = re.compile(r"^\s*\[\[?\s*(audit|task|arm)\s*\]", re.MULTILINE)


def invalid(problems: Iterable[Problem], source: Source) -> InvalidAudit:
    """The error that carries these problems and their report."""
    kept = tuple(problems)
    return InvalidAudit(kept, report(kept, source))


def read(path: Path, *, profile: str | None = None, sets: Sequence[str] = (), stand_in: bool = False) -> Source:
    """Read a file, lay profile and overrides over it, and remember where every value came from.

    Raises:
        AuditError: the file cannot be read, is not UTF-8 or not TOML, or has no such profile.
    """
    text = _text(path)
    values = _toml(path, text)
    layers = Layers(copied(values))
    misspelt = [*mend(layers), *mend_names(layers)]
    problems = overrides.apply(layers, sets, first=True)
    misspelt += mend(layers)
    of_stand_in = profiles.put_stand_in(layers) if stand_in else []
    names = tuple(dict.fromkeys([*of_stand_in, *_asked(path, layers.values, profile)]))
    problems += [problem for name in names for problem in profiles.put_profile(layers, name)]
    problems += overrides.apply(layers, sets)
    problems += [one for one in [*misspelt, *mend(layers)] if _applies(one.path, names)]
    return Source(
        path=path,
        text=text,
        values=layers.values,
        origins=layers.origins,
        sets=tuple(sets),
        profiles=names,
        stand_in=stand_in,
        problems=tuple(problems),
    )


def parse(source: Source) -> tuple[Audit | None, list[Problem]]:
    """The typed audit, and every mistake that can be seen without plugins and data.

    With mistakes, the audit is what remains once the mistaken values are left out: good for finding more mistakes in
    the rest, and for nothing else. None when nothing useful remains.
    """
    values = frozen(source.values)
    wrong = faults(Audit, values)
    told = without_meant(wrong, values)
    found = [*source.problems, *(audit_problem(fault, Audit, values) for fault in told)]
    audit = repaired(values, wrong)
    if audit is not None:
        found += without_echoes(check(audit, values), source)
    return audit, found


def without_echoes(problems: Iterable[Problem], source: Source) -> list[Problem]:
    """Problems of a repaired audit, without those that only repeat that a value was wrong or missing."""
    broken = [fault.path for fault in faults(Audit, frozen(source.values))]
    return [problem for problem in problems if not any(_touch(problem.path, path) for path in broken)]


def _applies(path: KeyPath, profiles: Sequence[str]) -> bool:
    """Whether a place in the file is read, as what profiles say is only where they are asked for."""
    return path[:2] != (FILE, "profile") or path[2] in profiles


def _touch(one: KeyPath, other: KeyPath) -> bool:
    """Whether one path leads through the other."""
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def _text(path: Path) -> str:
    where = str(path)
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise AuditError("there is no such file", where=where, hint=_beside(path)) from None
    except IsADirectoryError:
        raise AuditError("this is a folder, not an audit file", where=where, hint=_inside(path)) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise AuditError(f"line {line} is not UTF-8 text", where=where, hint="save the file as UTF-8") from None
    except OSError as error:
        raise AuditError(f"cannot read the file: {error.strerror}", where=where) from None


def _beside(path: Path) -> str:
    """Audits in the file's folder; where there are none, in folders beside it."""
    folder = path.parent
    around = _audits(folder, "*.toml") or _audits(folder if folder.is_dir() else folder.parent, "*/*.toml")
    names = [other.name if other.parent == folder else str(other) for other in around]
    meant = nearest(path.stem, [other.stem for other in around])
    return did_you_mean(next((name for name in names if Path(name).stem == meant), ""), names)


def _audits(folder: Path, pattern: str) -> list[Path]:
    """TOML files that have what an audit has, in order; other tools' configuration has not."""
    return sorted(filter(_is_audit, folder.glob(pattern)))


def _is_audit(file: Path) -> bool:
    try:
        return _AUDIT.search(file.read_text("utf-8", "replace")) is not None
    except OSError:
        return False


def _inside(path: Path) -> str:
    names = sorted(str(file) for file in path.glob("*.toml"))[:12]
    return f"in it: {', '.join(names)}" if names else ""


def _toml(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _malformed(path, text, str(error)) from None
    except RecursionError:
        raise AuditError(
            "the file is nested too deeply", where=str(path), hint="arrays in arrays go two deep at most"
        ) from None


def _malformed(path: Path, text: str, message: str) -> InvalidAudit:
    said, line, column = _position(message, text)
    problem = Problem((), f"not valid TOML: {_said_plainly(said)}", _MALFORMED.get(said, ""))
    lines = text.split("\n")
    excerpt = lines[line - 1].rstrip("\r") if line <= len(lines) else ""
    place = Place(str(path), line, column, text=excerpt)
    return InvalidAudit((problem,), told([Placed(place, problem.message, problem.hint)]))


def _said_plainly(message: str) -> str:
    """The parser's words, with keys written as in TOML instead of as tuples."""
    keys = re.search(r"\((?:'[^']*',? ?)+\)", message)
    if keys is None:
        return message
    names = ".".join(re.findall(r"'([^']*)'", keys[0]))
    return message.replace(keys[0], f"[{names}]")


def _position(message: str, text: str) -> tuple[str, int, int]:
    match = re.fullmatch(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", message, re.DOTALL)
    if match is None:
        return message, 1, 1
    said = match[1][:1].lower() + match[1][1:]
    if match[2]:
        return said, int(match[2]), int(match[3])
    lines = text.rstrip("\n").split("\n")
    return said, len(lines), len(lines[-1].rstrip("\r")) + 1


def _asked(path: Path, values: Mapping[str, Any], name: str | None) -> list[str]:
    if name is None:
        return []
    known = values.get("profile")
    names = list(known) if isinstance(known, Mapping) else []
    if name not in names:
        hint = did_you_mean(name, names) or "the file has no [profile.NAME]"
        raise AuditError(f"there is no profile {name!r} in {path}", where="--profile", hint=hint)
    return [name]
