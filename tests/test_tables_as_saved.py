"""Tables as spreadsheets and other tools save them: another encoding, another separator, compressed."""

from __future__ import annotations

import gzip

import pytest
from table_toys import picture

from auditkit.testing import AuditProject, audit_project

ROWS = 12
HEADER = "Größe,file,smiling,p\n"
SAVE_AS_UTF8 = "save it as UTF-8; spreadsheets offer that as 'CSV UTF-8'"
COMMAS = "save it as CSV with commas between the fields"
AUDIT = """\
[audit]
title = "t"
[data]
place = "NAME"
dataset = { use = "table", image = "file", attributes = ["Größe", "smiling"] }
[[task]]
target = "smiling"
[[arm]]
name = "original"
"""
CHECK = ("--option", "image=file", "--option", 'attributes=["smiling"]')
JUDGE = ("--truth", "smiling", "--score", "p")


def lines(header: str = HEADER) -> str:
    return header + "".join(f"{('groß', 'klein')[n // 2 % 2]},{n}.png,{n % 2},0.{n:02}\n" for n in range(ROWS))


def project(name: str, content: bytes) -> AuditProject:
    pictures = {f"{n}.png": picture(n) for n in range(ROWS)}
    return audit_project({name: content, "a.toml": AUDIT.replace("NAME", name), **pictures})


def said(project: AuditProject, name: str) -> dict[str, str]:
    """What each command that reads a table says of it."""
    commands = {
        "init": ("init", "--from", name, "made.toml"),
        "check": ("data", "check", name, *CHECK),
        "plan": ("plan", "a.toml"),
        "judge": ("judge", name, *JUDGE),
    }
    return {key: project.run(*command).assert_code(2).err for key, command in commands.items()}


def test_a_header_in_another_encoding() -> None:
    message = f"t.csv: the first line is not UTF-8 text\n  {SAVE_AS_UTF8}\n"
    other = project("t.csv", lines().encode("latin-1"))
    assert said(other, "t.csv") == {
        **dict.fromkeys(("init", "check", "plan"), message),
        "judge": f"t.csv: the table is not UTF-8 text\n  {SAVE_AS_UTF8}\n",
    }
    told = other.run("validate", "a.toml").assert_code(2)
    assert (told.out, told.err) == ("", f"a.toml: names of attributes were not checked: {message}")


def test_rows_in_another_encoding() -> None:
    content = lines(HEADER.replace("Größe", "size")).encode("latin-1")
    found = said(project("t.csv", content), "t.csv")
    assert found["init"] == f"t.csv: column 'size' is not UTF-8 text\n  {SAVE_AS_UTF8}\n"
    assert found["check"] == f"t.csv: column 'size' is not UTF-8 text in row 1\n  {SAVE_AS_UTF8}\n"
    assert found["judge"] == f"t.csv: the table is not UTF-8 text\n  {SAVE_AS_UTF8}\n"


def test_two_bytes_a_letter() -> None:
    found = said(project("t.csv", lines().encode("utf-16")), "t.csv")
    assert found["check"].endswith(f"\n  {SAVE_AS_UTF8}\n")
    assert found["judge"] == f"t.csv: the table is not UTF-8 text\n  {SAVE_AS_UTF8}\n"


@pytest.mark.parametrize(("mark", "word"), [(";", "semicolons"), ("\t", "tabs")])
def test_another_separator_is_named(mark: str, word: str) -> None:
    found = said(project("t.csv", lines().replace(",", mark).encode()), "t.csv")
    message = f"t.csv: the first line has {word} and no comma, so it names a single column\n  {COMMAS}\n"
    assert set(found.values()) == {message}


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_what_is_read_like_a_plain_table(mark: str) -> None:
    plain, other = project("t.csv", lines().encode()), project("t.csv.gz", gzip.compress((mark + lines()).encode()))
    for command in (("validate", "a.toml"), ("plan", "a.toml"), ("init", "--from", "t.csv.gz", "made.toml")):
        other.run(*command).assert_success()
    facts = [one.run("data", "check", name, *CHECK).out for one, name in ((plain, "t.csv"), (other, "t.csv.gz"))]
    assert facts[0].splitlines()[1:] == facts[1].splitlines()[1:]


def test_a_folder_is_no_table() -> None:
    told = project("t.csv", b"").run("data", "check", ".", "--dataset", "table").assert_code(2)
    assert told.err == ".: cannot read the table: this is a folder\n  name the CSV or Parquet file itself\n"


def test_paths_as_windows_writes_them() -> None:
    table = "file,smiling,Größe\n" + "".join(f"faces\\{n}.png,{n % 2},{n // 2 % 2}\n" for n in range(ROWS))
    other = project("t.csv", table.encode())
    there = "t.csv: 12 of 12 images are missing"
    assert other.run("init", "--from", "t.csv", "made.toml").assert_success().err == (
        f"{there}, the first at faces\\0.png\n  paths are relative to the table; write / for \\ in paths\n"
    )
    assert other.run("plan", "a.toml").assert_code(2).err == (
        f"{there} (faces\\0.png, faces\\1.png, faces\\2.png, ...)\n"
        "  paths are relative to .; write / for \\ in paths; rows without an image can be left out\n"
    )
