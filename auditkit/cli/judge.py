"""``auditkit judge``: the whole evidence wing on predictions made elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from auditkit.cli.console import Console
from auditkit.cli.options import NO_PLUGIN, QUIET, REPORTS, FiniteRange
from auditkit.cli.outcome import publish
from auditkit.engine.elsewhere import Columns, Reading, read
from auditkit.engine.judging import METRICS, Question
from auditkit.engine.judging import judge as derive
from auditkit.engine.registry import Registry
from auditkit.errors import AuditError
from auditkit.report import document

NAME = "COLUMN"


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--truth", metavar=NAME, required=True, help="What was to be predicted.")
@click.option("--score", metavar=NAME, required=True, help="Probability of the positive level, 0 to 1.")
@click.option("--groups", metavar="A,B", multiple=True, help="Columns that make groups; A*B is their intersection.")
@click.option("--identity", metavar=NAME, help="Whose image it is; people are resampled, not images.")
@click.option("--row", metavar=NAME, help="Which image it is, so that arms and seeds can be compared on the same ones.")
@click.option("--arm", metavar=NAME, help="Which model or way of training made the prediction.")
@click.option("--seed", metavar=NAME, help="Which training of the arm made it.")
@click.option("--reference", metavar="ARM", help="The arm that changes are measured from [the first].")
@click.option("--placebo", metavar="ARM", help="A second arm that changes are measured from.")
@click.option("--positive", metavar="LEVEL", help="The level of truth that the score is the probability of [1].")
@click.option(
    "--threshold",
    type=FiniteRange(0, 1, min_open=True, max_open=True),
    default=0.5,
    show_default=True,
    help="A prediction is positive above this probability.",
)
@click.option("--logit", is_flag=True, help="The score is a logit, positive minus negative.")
@click.option("--metrics", metavar="A,B", default=",".join(METRICS), show_default=True, help="Ids of metrics.")
@click.option("--explore", metavar="A,B", default="", help="Further columns: did arms change accuracy inside them?")
@click.option("--margin", type=FiniteRange(0, 1), default=0.005, show_default=True, help="What is no change.")
@click.option(
    "--confidence",
    type=FiniteRange(0.5, 0.99, min_open=True),
    default=0.95,
    show_default=True,
    help="Level of the intervals.",
)
@click.option("--title", metavar="TEXT", help="Title of the report.")
@REPORTS
@NO_PLUGIN
@QUIET
def judge(file: Path, groups: tuple[str, ...], reports: Path, quiet: bool, **values: Any) -> int:
    """Judge the predictions in FILE, a CSV or Parquet table with a line per image, arm and seed.

    Nothing is trained and no audit file is needed; the reports are those of `run`.

    \b
    auditkit judge predictions.csv --truth smiling --score p \\
        --groups gender,age,gender*age --identity person --row image \\
        --arm model --seed seed --reference baseline

    Without --identity every image counts as a person of its own, which makes intervals too narrow where one person
    has several. Without --arm there is one arm, without --seed one seed, and then no change is called one. Without
    --row images are matched by their order where truth and groups agree in every arm and seed; where they do not,
    arms are compared unpaired, and the report says so.
    """
    columns = Columns(
        groups=_groups(groups),
        explore=_names("--explore", values.pop("explore")),
        **{name: values.pop(name) for name in ("truth", "score", "identity", "row", "arm", "seed")},
    )
    reading = Reading(**{name: values.pop(name) for name in ("positive", "threshold", "logit")})
    registry = Registry.load(values.pop("disabled"))
    values["metrics"] = _names("--metrics", values["metrics"])
    values["title"] = values["title"] or f"Predictions of {columns.truth} in {file.name}"
    audit, results = derive(read(file, columns, reading), columns, Question(**values), registry)
    publish(
        Console(highlight=False), document.build(audit, results), results, reports / f"{file.stem}-judged", quiet=quiet
    )
    return 0


def _groups(texts: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """ "A,A*B" to (A,), (A, B)."""
    groups = [tuple(_names("--groups", part, "*")) for text in texts for part in _names("--groups", text)]
    for over in groups:
        if len(set(over)) < len(over):
            raise AuditError(f"{'*'.join(over)} names a column twice", where="--groups")
    return tuple({frozenset(over): over for over in reversed(groups)}.values())[::-1]


def _names(option: str, text: str, separator: str = ",") -> tuple[str, ...]:
    parts = [part.strip() for part in text.split(separator)] if text else []
    if not all(parts):
        raise AuditError(f"{text!r} has an empty name", where=option, hint="as in --groups gender,age,gender*age")
    return tuple(dict.fromkeys(parts)) if separator == "," else tuple(parts)
