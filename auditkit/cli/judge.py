"""``auditkit judge``: the whole evidence wing on predictions made elsewhere."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from auditkit.cli.console import Console, working
from auditkit.cli.options import NO_PLUGIN, REPORTS, FiniteRange
from auditkit.cli.outcome import publish
from auditkit.engine.elsewhere import Columns, Reading, read
from auditkit.engine.judging import METRICS, Question
from auditkit.engine.judging import judge as derive
from auditkit.engine.registry import Registry
from auditkit.engine.store import read_json
from auditkit.errors import AuditError, DataError
from auditkit.report import document

NAME = "COLUMN"
REPLACED = "this replaced the report of other columns or options; --reports PATH keeps both. The earlier was made by:"


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
@click.option(
    "--margin", type=FiniteRange(0, 1, max_open=True), default=0.005, show_default=True, help="What is no change."
)
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
@click.option("--quiet", is_flag=True, help="Print only where the report is, and what is probably not as meant.")
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
    arms are compared unpaired, and the report says so. A table that names its images, arms or seeds in columns that
    no option names is refused where images would count several times.

    The reports lie in FILE's name with -judged. A report of other columns or options is replaced, and the command that
    made it is told; --reports keeps both.
    """
    columns = Columns(
        groups=_groups(groups),
        explore=_names("--explore", values.pop("explore")),
        **{name: values.pop(name) for name in ("truth", "score", "identity", "row", "arm", "seed")},
    )
    reading = Reading(**{name: values.pop(name) for name in ("positive", "threshold", "logit")})
    registry = Registry.load(values.pop("disabled"))
    values["metrics"] = _names("--metrics", values["metrics"])
    if not values["metrics"]:
        raise AuditError("no metric is named", where="--metrics", hint="as in --metrics accuracy,auroc")
    values["title"] = values["title"] or f"Predictions of {columns.truth} in {file.name}"
    question = Question(command=_command(click.get_current_context()), **values)
    with working():
        given = read(file, columns, reading)
        audit, results = derive(given, columns, question, registry)
    folder, console = reports / f"{file.stem}-judged", Console(highlight=False)
    earlier = _earlier(folder)
    publish(console, document.build(audit, results), results, folder, quiet=quiet)
    replaced = (f"{REPLACED}\n    {earlier}",) if earlier and earlier != question.command else ()
    for warning in (*given.warnings, *replaced):
        console.print(f"! {warning}", style="yellow", markup=False, soft_wrap=True)
    return 0


def _command(context: click.Context) -> str:
    """The command as it was given, its options in the order of the help, without those on where and what is printed."""
    words = ["auditkit", "judge"]
    for parameter in context.command.params:
        name, value = parameter.name or "", context.params.get(parameter.name or "")
        if context.get_parameter_source(name) is not ParameterSource.COMMANDLINE or name in ("reports", "quiet"):
            continue
        option = [max(parameter.opts, key=len)] if isinstance(parameter, click.Option) else []
        values = value if isinstance(value, tuple) else (value,)
        words += [word for one in values for word in (*option, *(() if one is True else (str(one),)))]
    return shlex.join(words)


def _earlier(folder: Path) -> str:
    """The command that made the report of a folder; "" where there is none, or none is known."""
    try:
        facts = read_json(folder / "findings.json", dict).get("facts")
    except DataError:
        return ""
    return str(facts.get("command", "")) if isinstance(facts, dict) else ""


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
