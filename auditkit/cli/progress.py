"""Draws progress events: bars on a terminal, one plain line per unit elsewhere."""

from __future__ import annotations

from types import TracebackType

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from auditkit.cli.console import Console
from auditkit.events import EpochDone, Event, ImagesCached, Notice, StepsDone, UnitDone, UnitFailed, UnitStarted
from auditkit.report.numbers import UNKNOWN


class PlainProgress:
    """One line when something ends; for logs and pipes."""

    def __init__(self, console: Console, units: int) -> None:
        self.console, self.units, self.ended = console, units, 0
        self.labels: dict[str, str] = {}

    def __enter__(self) -> PlainProgress:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def send(self, event: Event) -> None:
        """Print what is worth a line."""
        if isinstance(event, Notice):
            self.console.print(f"{'! ' if event.level == 'warning' else ''}{event.text}", markup=False)
        elif isinstance(event, UnitStarted):
            self.labels[event.digest] = event.label
        elif isinstance(event, UnitDone):
            self.ended += 1
            label = self.labels.get(event.digest, event.digest)
            text = f"{self.ended}/{self.units} {label}: accuracy {_accuracy(event)} in {event.seconds:.0f} s"
            self.console.print(text, markup=False)
        elif isinstance(event, UnitFailed):
            self.ended += 1
            self.console.print(f"{self.ended}/{self.units} {event.label}: failed: {event.message}", markup=False)


class NoProgress(PlainProgress):
    """Only warnings and failures."""

    def send(self, event: Event) -> None:
        """Print a warning or a failure."""
        if isinstance(event, UnitFailed) or (isinstance(event, Notice) and event.level == "warning"):
            super().send(event)


class RichProgress:
    """A bar per unit at work and one for all of them."""

    def __init__(self, console: Console, units: int) -> None:
        self.console, self.units = console, units
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(compact=True),
            console=console,
            transient=False,
        )
        self.bars: dict[str, TaskID] = {}
        self.epochs: dict[str, int] = {}
        self.images: TaskID | None = None
        self.all = self.progress.add_task("units", total=units, note=f"0/{units}")

    def __enter__(self) -> RichProgress:
        self.progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        self.progress.stop()

    def send(self, event: Event) -> None:
        """Move the bars."""
        if isinstance(event, Notice):
            self.progress.console.print(f"{'! ' if event.level == 'warning' else ''}{event.text}", markup=False)
        elif isinstance(event, ImagesCached):
            self._cached(event)
        elif isinstance(event, UnitStarted):
            self.epochs[event.digest] = event.epochs
            bar = self.progress.add_task(event.label, total=event.epochs, completed=event.epoch, note="")
            self.bars[event.digest] = bar
        elif isinstance(event, StepsDone):
            self._steps(event)
        elif isinstance(event, EpochDone):
            accuracy = "" if event.accuracy is None else f"  valid {100 * event.accuracy:.1f}"
            note = f"ep {event.epoch}/{self.epochs[event.digest]}{accuracy}"
            self.progress.update(self.bars[event.digest], completed=event.epoch, note=note)
        else:
            self._ended(event)

    def _cached(self, event: ImagesCached) -> None:
        if self.images is None:
            self.images = self.progress.add_task("images", total=event.total, note="")
        self.progress.update(self.images, completed=event.done, total=event.total, note=f"{event.done:,}")

    def _steps(self, event: StepsDone) -> None:
        done = event.epoch - 1 + event.images / max(event.total, 1)
        note = f"ep {event.epoch}/{self.epochs[event.digest]}  {event.images_per_second:,.0f} img/s"
        self.progress.update(self.bars[event.digest], completed=done, note=note)

    def _ended(self, event: UnitDone | UnitFailed) -> None:
        self.progress.advance(self.all)
        ended = int(self.progress.tasks[self.all].completed)
        self.progress.update(self.all, note=f"{ended}/{self.units}")
        note = f"{event.split or 'accuracy'} {_accuracy(event)}" if isinstance(event, UnitDone) else "failed"
        if event.digest in self.bars:
            bar = self.bars[event.digest]
            self.progress.update(bar, completed=self.epochs[event.digest], note=note)
            self.progress.stop_task(bar)
        if isinstance(event, UnitFailed):
            self.progress.console.print(f"{event.label}: failed: {event.message}", markup=False)


def _accuracy(event: UnitDone) -> str:
    return UNKNOWN if event.accuracy is None else f"{100 * event.accuracy:.1f}"


def progress(kind: str, console: Console, units: int) -> PlainProgress | RichProgress:
    """The drawing asked for; "auto" means bars on a terminal and lines elsewhere."""
    if kind == "none":
        return NoProgress(console, units)
    if kind == "bars" or (kind == "auto" and console.is_terminal):
        return RichProgress(console, units)
    return PlainProgress(console, units)
