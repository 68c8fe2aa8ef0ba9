"""``auditkit judge``, as a person meets it: answers, warnings, and questions that a table has no answer to."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from elsewhere_toys import given, judged
from judged_toys import table

from auditkit.errors import AuditError
from auditkit.testing import AuditProject, audit_project

ASKED = ("--truth", "truth", "--score", "score", "--groups", "gender,gender*young")


@pytest.fixture(scope="module")
def project() -> AuditProject:
    made = audit_project({})
    table(seeds=5).to_csv(made.folder / "p.csv", index=False)
    return made


def test_a_planted_harm_is_found_where_it_was_planted(project: AuditProject) -> None:
    command = ("judge", "p.csv", *ASKED, "--identity", "person", "--row", "image", "--arm", "arm", "--seed", "seed")
    out = project.run(*command, "--explore", "young").assert_success().out
    assert "b against a, accuracy of gender f: changed by" in out.replace("\n  ", " ")
    folder = project.folder / "reports" / "p-judged"
    assert {"report.html", "report.md", "findings.json", "findings.csv"} <= {p.name for p in folder.iterdir()}
    found = json.loads((folder / "findings.json").read_text())
    assert "spillover of truth" in found["families"]
    assert "<strong>" not in (folder / "report.md").read_text()


def test_one_model_gets_an_answer_about_its_groups(project: AuditProject) -> None:
    frame = pd.read_csv(project.folder / "p.csv").query("arm == 'b' and seed == 0")
    frame.to_csv(project.folder / "single.csv", index=False)
    out = project.run("judge", "single.csv", *ASKED, "--identity", "person").assert_success().out
    assert "truth: accuracy, gender m minus gender f: +" in out.replace("\n  ", " ")
    frame.query("gender == 'f'").to_csv(project.folder / "women.csv", index=False)
    out = project.run("judge", "women.csv", *ASKED, "--identity", "person").assert_success().out
    said = "over gender: not estimable ('gender' has one level only)."
    assert said in out.replace("\n  ", " ")


def test_no_torch_is_needed(project: AuditProject) -> None:
    code = (
        "import sys; from auditkit.cli import exit_code;"
        f"code = exit_code({['judge', 'p.csv', *ASKED, '--arm', 'arm', '--seed', 'seed', '--quiet']!r});"
        "print(code, sorted({'torch', 'torchvision'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=project.folder, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 []"


def test_another_threshold_makes_other_decisions_and_reports_say_it(project: AuditProject) -> None:
    told = ("--identity", "person", "--row", "image", "--arm", "arm", "--seed", "seed")
    for threshold in ("0.5", "0.9"):
        project.run("judge", "p.csv", *ASKED, *told, "--threshold", threshold, "--reports", threshold).assert_success()
    note = "a prediction is positive above a probability of 0.9, not 0.5 (--threshold)"
    assert note in project.read("0.9/p-judged/report.md") and note not in project.read("0.5/p-judged/report.md")
    out = project.run("compare", "0.5/p-judged", "0.9/p-judged", "--all").assert_success().out
    assert "the very same networks" not in out
    assert [line.split() for line in out.splitlines() if "score.threshold" in line] == [
        ["score.threshold", "0.5", "0.9"]
    ]


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (("--metrics", ""), "--metrics: no metric is named\n  as in --metrics accuracy,auroc\n"),
        (("--margin", "1"), "Error: Invalid value for '--margin': 1.0 is not in the range 0<=x<1.\n"),
    ],
)
def test_options_that_ask_for_nothing_are_refused(project: AuditProject, option: tuple[str, str], said: str) -> None:
    assert project.run("judge", "p.csv", *ASKED, *option).assert_code(2).err.endswith(said)


def test_a_margin_has_the_units_of_its_metric(project: AuditProject) -> None:
    told = ("--identity", "person", "--row", "image", "--arm", "arm", "--seed", "seed")
    asked = ("--truth", "truth", "--score", "score", "--groups", "gender", "--metrics", "auroc", "--margin", "0.2")
    out = " ".join(project.run("judge", "p.csv", *asked, *told, "--reports", "auroc").assert_success().out.split())
    assert "m: no change larger than 0.2 (" in out and " points" not in out


def test_an_arm_with_one_seed_beside_one_with_more_is_named(project: AuditProject) -> None:
    frame = pd.read_csv(project.folder / "p.csv").query("seed < 3 and (arm == 'a' or seed < 1)")
    frame.to_csv(project.folder / "alone.csv", index=False)
    told = ("--identity", "person", "--row", "image", "--arm", "arm", "--seed", "seed")
    out = " ".join(project.run("judge", "alone.csv", *ASKED, *told).assert_success().out.split())
    assert "]); training variance not measured with one seed. Accuracy of" in out
    assert "]); training variance not measured with one seed." in out
    assert "seeds 1 to 3 Support" in out
    assert 'Seeds one seed in b: training variance not measured, so no change to or from it is called "changed" ' in out
    assert (
        "Note truth: training variance not measured in arm 'b', which has one seed: no change to or from it is called "
        "one, and its own intervals leave it out ! Note"
    ) in out


def test_a_single_model_is_no_reference(project: AuditProject) -> None:
    frame = pd.read_csv(project.folder / "p.csv").query("arm == 'b' and seed == 0")
    frame.to_csv(project.folder / "only.csv", index=False)
    out = " ".join(project.run("judge", "only.csv", *ASKED, "--identity", "person").assert_success().out.split())
    assert " arms model seeds 1 " in out
    assert (
        "Note truth: training variance not measured in arm 'model', which has one seed: its own intervals leave it out"
    ) in out


def test_arms_with_two_and_three_seeds(project: AuditProject) -> None:
    frame = pd.read_csv(project.folder / "p.csv").query("seed < 3 and (arm == 'a' or seed < 2)")
    frame.to_csv(project.folder / "unlike.csv", index=False)
    told = ("--identity", "person", "--row", "image", "--arm", "arm", "--seed", "seed")
    outcome = project.run("judge", "unlike.csv", *ASKED, *told).assert_success()
    assert outcome.err == ""
    assert "2 to 3 seeds per arm" in outcome.out


def test_a_column_without_values_leaves_the_rest_standing(project: AuditProject) -> None:
    pd.read_csv(project.folder / "p.csv").assign(hat=None).to_csv(project.folder / "hat.csv", index=False)
    told = ("--identity", "person", "--row", "image", "--arm", "arm", "--seed", "seed")
    asked = ("--truth", "truth", "--score", "score", "--groups", "hat,gender", *told)
    out = project.run("judge", "hat.csv", *asked).assert_success().out.replace("\n  ", " ")
    assert "b against a, accuracy of gender f: changed by" in out
    assert "truth: 450 of 450 images have no value of 'hat' and are left out of its groups" in " ".join(out.split())


def test_a_name_that_cannot_be_a_group(project: AuditProject) -> None:
    table().rename(columns={"gender": "gender, as told"}).to_csv(project.folder / "comma.csv", index=False)
    asked = ("--truth", "truth", "--score", "score", "--groups", "gender, as told")
    assert project.run("judge", "comma.csv", *asked).assert_code(2).err == (
        "comma.csv: there are no columns 'gender' and 'as told'\n  its columns are image, person, gender, as told, "
        "young, truth, score, arm, seed; a name with a comma or * cannot be asked for as a group: rename the column\n"
    )


def test_probabilities_that_are_read_as_logits_are_warned_of(project: AuditProject) -> None:
    names = ("--identity", "person", "--row", "image", "--arm", "arm", "--seed", "seed")
    outcome = project.run("judge", "p.csv", *ASKED, *names, "--logit", "--quiet", "--reports", "logit").assert_success()
    warning = "column 'score' is read as logits, and all of it lies in 0 to 1: probabilities are read without --logit"
    assert outcome.out == f"report  logit/p-judged/report.html\n! {warning}\n"
    assert warning in project.read("logit/p-judged/report.md")


def test_arms_and_seeds_that_no_option_names_are_warned_of(project: AuditProject) -> None:
    frame = pd.read_csv(project.folder / "p.csv").query("seed < 2").drop(columns="image")
    frame.sample(frac=1, random_state=0).to_csv(project.folder / "shuffled.csv", index=False)
    outcome = project.run("judge", "shuffled.csv", *ASKED, "--arm", "arm", "--quiet").assert_success()
    warning = (
        "column 'seed' was not looked at, so lines of all its levels count as different images; --seed seed tells them "
        "apart"
    )
    assert outcome.out == f"report  reports/shuffled-judged/report.html\n! {warning}\n"
    assert warning in project.read("reports/shuffled-judged/report.md")


def test_arms_and_metrics_that_do_not_exist(tmp_path: Path) -> None:
    found = given(tmp_path, table())
    with pytest.raises(AuditError) as caught:
        judged(found, reference="c")
    assert str(caught.value) == "--reference: there is no arm 'c'\n  there are 'a' and 'b'"
    with pytest.raises(AuditError) as caught:
        judged(found, placebo="a")
    assert str(caught.value) == (
        "--placebo: arm 'a' is the reference already\n  name another arm here, or another --reference"
    )
    with pytest.raises(AuditError) as caught:
        judged(found, metrics=("acuracy",))
    assert str(caught.value) == "--metrics: unknown metric 'acuracy'\n  did you mean 'accuracy'?"
    with pytest.raises(AuditError) as caught:
        judged(found, metrics=("accuracy", "auditkit:accuracy"))
    assert str(caught.value) == "--metrics: metric 'accuracy' is there twice"


def test_a_metric_may_be_named_with_its_distribution(project: AuditProject) -> None:
    told = ("--identity", "person", "--row", "image", "--arm", "arm", "--seed", "seed")
    reports = []
    for metric in ("accuracy", "auditkit:accuracy"):
        outcome = project.run("judge", "p.csv", *ASKED, *told, "--metrics", metric).assert_success()
        reports.append((outcome.out.partition("! this replaced")[0], project.read("reports/p-judged/report.md")))
    assert "b against a, accuracy of gender f: changed by" in reports[0][0].replace("\n  ", " ")
    assert reports[0] == (reports[1][0], reports[1][1].replace("auditkit:accuracy", "accuracy"))


def test_the_arm_that_was_taken_for_the_reference_is_told_where_none_was_named(tmp_path: Path) -> None:
    found = given(tmp_path, table())
    note = "changes are measured from 'a', the first arm; --reference names another"
    assert note in judged(found).facts["warnings"]
    assert not any("--reference" in text for text in judged(found, reference="a").facts["warnings"])


def test_the_same_columns_make_one_group_in_any_order(project: AuditProject) -> None:
    names = ["--truth", "truth", "--score", "score", "--arm", "arm", "--seed", "seed", "--row", "image"]
    project.run("judge", "p.csv", *names, "--groups", "gender*young,young*gender", "--quiet").assert_success()
    found = json.loads(project.read("reports/p-judged/findings.json"))["findings"]
    assert {tuple(one["over"]) for one in found} == {(), ("gender", "young")}


def test_a_report_of_other_options_is_replaced_and_it_is_said(project: AuditProject) -> None:
    told = ("--identity", "person", "--row", "image", "--arm", "arm", "--seed", "seed")
    place = "report  reports/again-judged/report.html\n"
    pd.read_csv(project.folder / "p.csv").to_csv(project.folder / "again.csv", index=False)
    assert project.run("judge", "again.csv", *ASKED, *told, "--quiet").assert_success().out == place
    assert project.run("judge", "again.csv", *told, *ASKED, "--quiet").assert_success().out == place
    assert project.run("judge", "again.csv", *ASKED, *told, "--margin", "0.01", "--quiet").assert_success().out == (
        f"{place}! this replaced the report of other columns or options; --reports PATH keeps both. The earlier was "
        "made by:\n    auditkit judge again.csv --truth truth --score score --groups 'gender,gender*young' --identity "
        "person --row image --arm arm --seed seed\n"
    )
    command = json.loads(project.read("reports/again-judged/findings.json"))["facts"]["command"]
    assert command.endswith("--seed seed --margin 0.01")
    project.run(*shlex.split(command)[1:], "--logit", "--reports", "other", "--quiet").assert_success()
    assert "--logit" in project.read("other/again-judged/report.md")


def test_mistakes_on_the_command_line_end_with_2(project: AuditProject) -> None:
    outcome = project.run("judge", "p.csv", "--truth", "truth", "--score", "score", "--groups", "gender*gender")
    assert (outcome.code, outcome.err) == (2, "--groups: gender*gender names a column twice\n")
    outcome = project.run("judge", "p.csv", "--truth", "truth", "--score", "score", "--groups", "gender,")
    assert outcome.err == "--groups: 'gender,' has an empty name\n  as in --groups gender,age,gender*age\n"
    assert project.run("judge", "p.csv", "--truth", "truth").assert_code(2).err.endswith("Missing option '--score'.\n")
