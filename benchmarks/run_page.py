"""What `run.py` measured, as a page: beside the floors and goals that were set before."""

from __future__ import annotations

import statistics
from typing import Any

GOALS = {
    "training, 64 px": (1.9, 2.6),
    "training, 128 px": (3.0, 4.5),
    "whole audit, 64 px": (1.9, 2.6),
    "whole audit, 128 px": (3.0, 4.5),
}
"""Floor and goal of each ratio."""
TEST_IMAGES = 20_000
UNMEASURED = "unmeasured: no GPU"


def rows_of(found: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """The table: what, floor, goal, measured."""
    lines = []
    for part, name in (("training", "training"), ("whole", "whole audit")):
        for case in found["compared"]:
            what = f"{name}, {case['size']} px"
            floor, goal = GOALS.get(what, (0, 0))
            note = f" ({case['whole_by_cpu']:.2f}x by CPU time)" if part == "whole" else ""
            lines.append((f"{what}: over the plain loop", f"{floor}x", f"{goal}x", f"{case[part]:.2f}x{note}"))
    for case in found["compared"]:
        told = " / ".join(_accuracy(case["accuracy"][name]) for name in ("auditkit", "plain"))
        lines.append((f"accuracy of the same networks, {case['size']} px: auditkit / plain loop", "equal", "", told))
    decoders = found["bench"]["machine"]["decoders"]
    for case in found["bench"]["cases"]:
        px = f"{case['size']} px"
        lines += [
            (f"step-resident over step-synthetic, {px}", "0.93", "0.98", f"{case['resident_over_synthetic']:.3f}"),
            (f"decode + resize per core, {px}", "3,500/s", "5,000/s",
             f"{case['decode_images_per_second'] / decoders:,.0f}/s"),
        ]  # fmt: skip
        if not gpu_of(found):
            lines.append((f"share of the serial roofline, {px}", "", "", f"{case['share_of_serial_roofline']:.0%}"))
    if whole := found["memory"]:
        what = f"peak host memory, {whole['images']:,} images at 128 px, two units at a time"
        lines.append((what, "6 GiB", "3 GiB", f"{whole['peak_bytes'] / 2**30:.1f} GiB"))
    return [*lines, *gpu_rows(found)]


def _accuracy(networks: list[float]) -> str:
    """Mean and standard deviation over networks, in percent."""
    return f"{100 * statistics.mean(networks):.1f} ± {100 * statistics.stdev(networks):.1f} %"


def gpu_rows(found: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """What is asked of a GPU of the H200 class, and what was measured, if anything."""
    case = next((case for case in found["bench"]["cases"] if case["size"] == 128), None) if gpu_of(found) else None
    share = f"{case['share_of_serial_roofline']:.0%}" if case else UNMEASURED
    seconds = f"{TEST_IMAGES / case['evaluate_images_per_second']:.2f} s" if case else UNMEASURED
    return [
        ("GPU, 128 px: share of the serial roofline", "43 %", "77 %", share),
        (f"GPU, 128 px: {TEST_IMAGES:,} test images evaluated", "0.6 s", "0.2 s", seconds),
        *([] if case else [("GPU: step-resident over step-synthetic", "0.93", "0.98", UNMEASURED)]),
        ("GPU, 128 px: images/s with --deterministic", "", "", _deterministic(found) if case else UNMEASURED),
    ]


def _deterministic(found: dict[str, Any]) -> str:
    if "bench_deterministic" not in found:
        return "unmeasured"
    rates = [found[name]["cases"][-1]["step_resident_images_per_second"] for name in ("bench_deterministic", "bench")]
    return f"{rates[0] / rates[1]:.2f}x those without"


def gpu_of(found: dict[str, Any]) -> str:
    """The name of the GPU that was trained on; "" on a CPU."""
    device: str = found["bench"]["machine"]["device"]
    return "" if device.startswith("CPU") else device


def title(found: dict[str, Any]) -> str:
    """What was measured."""
    facts = found["machine"]
    return ", ".join(filter(None, (facts["processor"], f"{facts['cores']} cores", gpu_of(found))))


def markdown(found: dict[str, Any]) -> str:
    """The results as a page."""
    facts = found["machine"]
    device = found["bench"]["machine"]
    lines = [
        f"# {title(found)}",
        "",
        "; ".join(filter(None, (", ".join(facts["instructions"]), _versions(facts, device)))),
        *(_repeats(found["compared"]) if found["compared"] else ()),
        "",
        "| what | floor | goal | here |",
        "|---|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in rows_of(found)),
        "",
    ]
    if not found["compared"]:
        return "\n".join(lines)
    lines += [
        "| | images/s | seconds | CPU seconds | peak memory |",
        "|---|---|---|---|---|",
    ]
    for case in found["compared"]:
        for name, said in (("auditkit", f"auditkit ({case['split']})"), ("plain", "plain loop")):
            one = case[name]
            lines.append(
                f"| {said}, {case['size']} px, {case['rows']:,} rows, {case['test']:,} test | "
                f"{one['images_per_second']:.0f} | {one['seconds']:.0f} | {one['cpu_seconds']:.0f} | "
                f"{one['peak_bytes'] / 2**30:.1f} GiB |"
            )
    return "\n".join([*lines, ""])


def _versions(facts: dict[str, Any], device: dict[str, Any]) -> str:
    return f"torch {device['torch']}, {device['precision']}, Python {facts['python']}."


def _repeats(compared: list[dict[str, Any]]) -> list[str]:
    loads = ", ".join(f"{load:.1f}" for case in compared for load in case["load_before"])
    return [f"Repeats: {len(compared[0]['repeats'])}. Load before them: {loads}."]
