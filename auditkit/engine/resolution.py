"""An audit whose components are found and whose options are typed: what the registry makes of a spec."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from auditkit.contracts import Component, Kind, Need, Options
from auditkit.errors import KeyPath
from auditkit.spec.drafts import Draft
from auditkit.spec.model import Audit, Recipe


@dataclass(frozen=True, slots=True)
class Chosen:
    """A component that the audit uses, with its options resolved.

    `source` is a hash of the plugin's source files where it is an editable install, else "". A `draft` says that the
    options are mistaken, and what can be told of them all the same.
    """

    kind: Kind
    component: Component
    options: Options
    distribution: str
    version: str
    source: str = ""
    draft: Draft[Options] | None = None

    @property
    def who(self) -> str:
        """The component and what it comes from, as messages name it."""
        return f"{self.kind} {self.component.id!r} of {self.distribution} {self.version}"

    @property
    def usable(self) -> bool:
        """Whether the options, mistaken or not, are such as the component can take."""
        return self.draft is None or self.draft.whole is not None

    @property
    def readable(self) -> Options:
        """The options to look for names in, mistaken ones included."""
        return self.options if self.draft is None else self.draft.readable

    def place(self, path: KeyPath) -> KeyPath:
        """Where, from the component's table, a path of the readable options stands in the file."""
        return path if self.draft is None else self.draft.place(path)

    @property
    def address(self) -> str:
        """DISTRIBUTION:ID, which no other plugin can claim; as a ComponentRef carries it."""
        return f"{self.distribution}:{self.component.id}"

    def record(self) -> dict[str, Any]:
        """What of it goes into a digest: never the distribution's version, which says nothing about results."""
        return {
            "use": self.component.id,
            "options": self.options.model_dump(mode="json", by_alias=True),
            "revision": self.component.revision,
            "source": self.source,
        }


@dataclass(frozen=True, slots=True)
class ResolvedArm:
    """An arm with defaults filled in: `init` is "imagenet", "none", "checkpoint:FILE" or an arm's name."""

    name: str
    init: str
    train: Literal["all", "head"]
    on: Literal["train", "valid"]
    sampler: Chosen
    objective: Chosen
    model: Chosen
    recipe: Recipe
    seeds: tuple[int, ...]
    needs: tuple[Need, ...] = ()


@dataclass(frozen=True, slots=True)
class ResolvedAudit:
    """The audit with every component chosen."""

    audit: Audit
    dataset: Chosen
    arms: tuple[ResolvedArm, ...]
    metrics: tuple[Chosen, ...]
