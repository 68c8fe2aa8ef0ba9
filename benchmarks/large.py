"""How long does a large audit take from predictions to report, and how long to read it again?

    python benchmarks/large.py [--rows 200000] [--out benchmarks/results]

8 arms with 3 seeds, all on the same images of a twentieth as many people: group tables, intervals, simultaneous
intervals, spillover over 40 attributes, then HTML, Markdown, JSON, CSV and their charts. Read again: findings.json to
the same files.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import tempfile
import time
from pathlib import Path

import bootstrap
import numpy as np

from auditkit.evidence.findings import derive
from auditkit.evidence.results import Results
from auditkit.report import archive, document
from auditkit.report.files import write
from auditkit.spec.model import Audit

GROUPS = (("attribute 0",), ("attribute 0", "attribute 1"))


def audit_of(arms: list[str]) -> Audit:
    """The audit that such predictions would be judged for."""
    return Audit.model_validate(
        {
            "audit": {"title": "A large audit"},
            "task": ({"target": "task"},),
            "arm": tuple({"name": name} for name in arms),
            "evidence": {
                "reference": arms[0],
                "groups": GROUPS,
                "metrics": tuple({"use": name} for name in bootstrap.METRICS),
            },
        }
    )


def main() -> None:
    """Measure, print, and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    panel = bootstrap.make_panel(np.random.default_rng(0), options.rows, options.rows // 20)
    audit = audit_of([arm.arm for arm in panel.arms])
    clock = [time.perf_counter()]
    derived = derive([panel], audit.evidence, bootstrap.METRICS)
    clock.append(time.perf_counter())
    results = Results(findings=derived.findings, families=derived.families, remarks=derived.remarks)
    with tempfile.TemporaryDirectory() as name:
        write(document.build(audit, results), results, Path(name))
        clock.append(time.perf_counter())
        text = (Path(name) / "findings.json").read_text(encoding="utf-8")
        write(document.build(audit, read := archive.load(json.loads(text))), read, Path(name))
        clock.append(time.perf_counter())
    tables, report, again = np.diff(clock).round(2).tolist()
    found = {
        "machine": {"cores": os.cpu_count(), "load": os.getloadavg()[0], "python": platform.python_version()},
        "rows": options.rows,
        "units": sum(len(arm.seeds) for arm in panel.arms),
        "findings": len(results.findings),
        "disparities and intervals": tables,
        "report": report,
        "seconds": round(tables + report, 2),
        "read again": again,
        "peak GiB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
    }
    print(json.dumps(found, indent=1))
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "large.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
