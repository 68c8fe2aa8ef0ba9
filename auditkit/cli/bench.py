"""``auditkit bench``: what this machine can do, and how near to it auditkit trains."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

import click
from rich.table import Table

from auditkit.cli.console import Console
from auditkit.cli.options import FiniteRange, device_option
from auditkit.engine import bench as measuring
from auditkit.events import silent

_LINES: tuple[tuple[str, Callable[[Mapping[str, Any]], str]], ...] = (
    ("copy, read and write", lambda case: f"{case['copy_bytes_per_second'] / 1e9:,.1f} GB/s"),
    ("steps", lambda case: str(case["steps"])),
    ("step-synthetic", lambda case: _images(case["step_synthetic_images_per_second"])),
    ("step-resident", lambda case: _images(case["step_resident_images_per_second"])),
    ("  over step-synthetic", lambda case: f"{case['resident_over_synthetic']:.3f}"),
    ("  arithmetic", lambda case: _tera(case["train_flop_per_second"])),
    ("  serial roofline", lambda case: _images(case["serial_roofline_images_per_second"])),
    ("  share of it", lambda case: f"{case['share_of_serial_roofline']:.0%}"),
    ("until the first step", lambda case: f"{case['seconds_until_first_step']:,.1f} s"),
    ("end-to-end", lambda case: _images(case["end_to_end_images_per_second"])),
    ("decoding", lambda case: _images(case["decode_images_per_second"])),
    ("evaluation", lambda case: _images(case["evaluate_images_per_second"])),
    ("peak memory", lambda case: _giga(case)),
)


@click.command()
@click.option("--size", "sizes", type=click.IntRange(32, 512), multiple=True, default=(64, 128), show_default=True)
@device_option("auto")
@click.option("--workers", type=click.IntRange(min=1), help="Processes at work at once [one per core; one on a GPU].")
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True, help="Threads of each.")
@click.option("--seconds", type=FiniteRange(0.1), default=5.0, show_default=True, help="For each rate.")
@click.option(
    "--precision",
    type=click.Choice(("auto", "float32", "bfloat16", "float16")),
    default="auto",
    show_default=True,
    help="Number format; auto chooses as in a run.",
)
@click.option("--deterministic", is_flag=True, help="On a GPU, only algorithms that always give the same bits.")
@click.option("--batch", type=click.IntRange(min=2), help="Images per step [128; 1024 on an NVIDIA GPU].")
@click.option("--no-graph", is_flag=True, help="On a GPU, do not capture steps.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def bench(as_json: bool, **values: Any) -> int:
    """Measure what this machine can do, and how near to it auditkit trains a ResNet-18.

    step-synthetic repeats one batch; step-resident gathers, mirrors and normalises new ones; end-to-end is an epoch
    whose images are decoded before and evaluated after it, all timed as one. All cores decode. The serial roofline is
    the rate at which kernels that run one after another would be limited by the matrix products and copies measured
    here.
    """
    found = measuring.bench(measuring.Asked(**values), silent)
    if as_json:
        click.echo(json.dumps(found, indent=1))
        return 0
    console = Console(highlight=False)
    facts = found["machine"]
    console.print(
        f"{facts['device']}, {facts['processes']} processes of {facts['threads']} threads, {facts['precision']}, "
        f"torch {facts['torch']}, load {os.getloadavg()[0]:.1f}"
    )
    table = Table(box=None, pad_edge=False)
    table.add_column("ResNet-18, training")
    for case in found["cases"]:
        table.add_column(f"{case['size']} px", justify="right")
    for kind in found["cases"][0]["gemm_flop_per_second"]:
        table.add_row(
            f"matrix product, {kind}", *(_tera(case["gemm_flop_per_second"][kind]) for case in found["cases"])
        )
    for name, cell in _LINES:
        table.add_row(name, *(cell(case) for case in found["cases"]))
    console.print(table)
    return 0


def _tera(rate: float) -> str:
    return f"{rate / 1e12:,.2f} TFLOP/s"


def _images(rate: float) -> str:
    return f"{rate:,.0f} images/s"


def _giga(case: Mapping[str, Any]) -> str:
    device = f" + {case['peak_device_bytes'] / 2**30:.1f} GiB on the device" if case["peak_device_bytes"] else ""
    return f"{case['peak_host_bytes'] / 2**30:.1f} GiB{device}"
