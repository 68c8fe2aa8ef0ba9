"""Units under their digests: written aside, then renamed, so that a reader never meets a half-written one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from auditkit import predictions as table
from auditkit.engine import probes
from auditkit.engine.locking import locked
from auditkit.engine.probes import ProbeMargins
from auditkit.engine.writable import require_folder
from auditkit.errors import AuditError, DataError
from auditkit.events import Send
from auditkit.predictions import Predictions, remedy
from auditkit.replacing import LEFT, replacing

PREDICTIONS, UNIT, HISTORY, WEIGHTS, PROBES = (
    "predictions.parquet",
    "unit.json",
    "history.json",
    "weights.safetensors",
    "probes.parquet",
)
CHECKPOINT, INDEX = "checkpoint.safetensors", "index.json"


ELSEWHERE = "let yourself write there, or name another place with --store"


class Store:
    """A folder of finished units, of checkpoints of unfinished ones, and of findings.

    units/DIGEST/{unit.json, predictions.parquet, history.json, weights.safetensors, probes.parquet}; partial/DIGEST/
    while a unit is at work; findings/KEY.json; charts/, as they were drawn; index.json, the last inputs of each (audit,
    task, arm, seed); lock, held while a run trains.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def require_writable(self) -> None:
        """Raise AuditError unless units can be kept here."""
        require_folder(self.root, "to the store", ELSEWHERE)

    @property
    def charts(self) -> Path:
        """Folder of charts as they were drawn."""
        return self.root / "charts"

    def unit(self, digest: str) -> Path:
        """Folder of a finished unit."""
        return self.root / "units" / digest

    def locked(self, send: Send) -> AbstractContextManager[None]:
        """Keep other runs from training in this store."""
        return locked(self.root / "lock", "another run is training in this store; waiting for it", send)

    def has(self, digest: str) -> bool:
        """Whether the unit is finished and nothing of it was deleted."""
        return all((self.unit(digest) / name).is_file() for name in (UNIT, PREDICTIONS, HISTORY))

    def started(self, digest: str) -> bool:
        """Whether an unfinished unit has a checkpoint to continue from."""
        return (self.root / "partial" / digest / CHECKPOINT).is_file()

    def has_weights(self, digest: str) -> bool:
        """Whether the weights of a finished unit were kept."""
        return (self.unit(digest) / WEIGHTS).is_file()

    def partial(self, digest: str) -> Path:
        """Folder of a unit at work, made when missing; its checkpoint survives a kill."""
        folder = self.root / "partial" / digest
        self._make(folder)
        return folder

    def finish(
        self, digest: str, predictions: Predictions, history: list[dict[str, Any]], facts: Mapping[str, Any]
    ) -> None:
        """Turn the partial folder (which may hold weights) into a finished unit."""
        folder = self.partial(digest)
        table.write(predictions, folder / PREDICTIONS)
        write_json(folder / HISTORY, history)
        write_json(folder / UNIT, {**facts, "predicted": predictions.splits()})
        for useless in (folder / CHECKPOINT, *folder.glob(LEFT)):
            useless.unlink(missing_ok=True)
        self._make(self.root / "units")
        target = self.unit(digest)
        if target.exists():
            shutil.rmtree(target)
        folder.replace(target)

    def add_predictions(self, digest: str, more: Predictions) -> None:
        """Replace the predictions of a finished unit, as when a split was predicted later."""
        table.write(more, self.unit(digest) / PREDICTIONS)
        write_json(self.unit(digest) / UNIT, {**self.facts(digest), "predicted": more.splits()})

    def predicted(self, digest: str) -> frozenset[str]:
        """The splits that a unit has predictions for; none while it is not finished."""
        return frozenset(self.facts(digest)["predicted"]) if self.has(digest) else frozenset()

    def add_probes(self, digest: str, more: ProbeMargins) -> None:
        """Add the margins of further heads to those of a finished unit."""
        stored = probes.read(self.unit(digest) / PROBES) if self.probed(digest) else None
        probes.write(probes.joined(stored, more), self.unit(digest) / PROBES)

    def probed(self, digest: str) -> frozenset[str]:
        """Keys of the probes that a finished unit has margins for."""
        return probes.keys(self.unit(digest) / PROBES)

    def probes(self, digest: str) -> ProbeMargins:
        """What the heads of a unit's probes gave; there must be some."""
        return probes.read(self.unit(digest) / PROBES)

    def remember(self, key: str, digest: str, inputs: Mapping[str, Any]) -> None:
        """Note the last inputs of an (audit, task, arm, seed), so that a later plan can say what changed."""
        index = self.index()
        index[key] = {"digest": digest, "inputs": dict(inputs)}
        self._make(self.root)
        write_json(self.root / INDEX, index)

    def index(self) -> dict[str, Any]:
        """Key -> {digest, inputs} of what was last run under that key."""
        path = self.root / INDEX
        try:
            value = read_json(path, dict) if path.is_file() else {}
        except DataError:  # it only tells why units are stale
            return {}
        return {key: last for key, last in value.items() if isinstance(last, dict) and {"digest", "inputs"} <= {*last}}

    def findings(self, key: str) -> Path:
        """Where the findings of a set of units and an evidence section lie."""
        folder = self.root / "findings"
        self._make(folder)
        return folder / f"{key}.json"

    def predictions(self, digest: str) -> Predictions:
        """What a finished unit predicted."""
        return table.read(self.unit(digest) / PREDICTIONS)

    def history(self, digest: str) -> list[dict[str, Any]]:
        """One record per epoch: epoch, loss, accuracy (or None), seconds, images."""
        value: list[dict[str, Any]] = read_json(self.unit(digest) / HISTORY, list)
        return value

    def facts(self, digest: str) -> dict[str, Any]:
        """What is known about how a finished unit was made: inputs, device, threads, precision, seconds, versions."""
        return _facts(self.unit(digest) / UNIT)

    def every_facts(self) -> list[dict[str, Any]]:
        """Facts of all finished units."""
        return [_facts(path) for path in sorted((self.root / "units").glob(f"*/{UNIT}"))]

    def _make(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(folder, error) from error


def write_json(path: Path, value: Any) -> None:
    """Write JSON, the whole file or nothing; a number that is not finite is an error."""
    text = json.dumps(value, indent=1, allow_nan=False) + "\n"
    try:
        with replacing(path) as aside:
            aside.write_text(text, encoding="utf-8")
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> AuditError:
    return AuditError(f"cannot write to the store: {error.strerror}", where=str(path), hint=ELSEWHERE)


def read_json(path: Path, kind: type[Any] | None = None) -> Any:
    """Read JSON that the store wrote, an object (dict) or an array (list) where `kind` says so."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read: {error}", where=str(path), hint=remedy(path)) from error
    if kind is not None and not isinstance(value, kind):
        raise DataError(f"cannot read: it holds {json.dumps(value)[:40]}", where=str(path), hint=remedy(path))
    return value


def _facts(path: Path) -> dict[str, Any]:
    value: dict[str, Any] = read_json(path, dict)
    if "predicted" not in value:
        raise DataError("cannot read: it has no 'predicted'", where=str(path), hint=remedy(path))
    return value
