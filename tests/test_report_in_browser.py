"""The page in a browser: nothing sticks out of the screen, and axe finds nothing to object to."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def in_browser(page: Path, profile: Path, *options: str) -> str:
    """The page as Chromium has it after its scripts ran."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    quiet = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
    command = [CHROMIUM, *quiet, f"--user-data-dir={profile}", "--virtual-time-budget=20000", *options, "--dump-dom"]
    done = subprocess.run([*command, page.as_uri()], capture_output=True, text=True, timeout=100, check=True)
    return done.stdout


def with_script(page: str, script: str) -> str:
    """The page with its policy lifted, everything unfolded, and a script that reports in its title."""
    lifted = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    return lifted.replace("<details>", "<details open>").replace("</body>", f"<script>{script}</script></body>")


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_sticks_out_of_the_screen(page: str, tmp_path: Path, width: int) -> None:
    script = """document.title = [innerWidth, document.documentElement.scrollWidth,
        [...document.querySelectorAll('figure div')].filter(d => d.offsetParent && d.querySelector('svg')).length,
        document.querySelectorAll('figure').length].join(' ')"""
    path = tmp_path / "page.html"
    frame = tmp_path / "frame.html"
    path.write_text(with_script(page, script), encoding="utf-8")
    show = 'onload="setTimeout(() => document.title = this.contentDocument.title, 500)"'
    frame.write_text(f'<iframe src="page.html" width="{width}" height="900" {show}></iframe>', encoding="utf-8")
    shown = in_browser(frame, tmp_path / "profile", "--allow-file-access-from-files")
    title = re.search(r"<title>(.*?)</title>", shown)
    assert title, shown[:500]
    window, content, visible, wanted = map(int, title[1].split())
    assert window == width
    assert content <= window
    assert visible == wanted


@pytest.mark.browser
@pytest.mark.parametrize("scheme", [0, 1], ids=["dark", "light"])
def test_axe_finds_nothing(page: str, tmp_path: Path, scheme: int) -> None:
    axe = find_axe()
    report = "axe.run().then(r => {document.title = JSON.stringify(r.violations.map(v => [v.id, v.nodes[0].html]))})"
    path = tmp_path / "page.html"
    path.write_text(with_script(page, f"{axe.read_text(encoding='utf-8')};{report}"), encoding="utf-8")
    shown = in_browser(path, tmp_path / "profile", f"--blink-settings=preferredColorScheme={scheme}")
    title = re.search(r"<title>(.*?)</title>", shown)
    assert title and title[1] == "[]"


def find_axe() -> Path:
    named = os.environ.get("AUDITKIT_AXE")
    places = [Path(named)] if named else [Path("node_modules/axe-core")]
    found = [file for place in places for file in (place, place / "axe.min.js") if file.is_file()]
    if not found:
        pytest.skip("no axe-core: set AUDITKIT_AXE to its folder, or npm install axe-core")
    return found[0]
