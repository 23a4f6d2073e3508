"""What actionlint and zizmor, which `make lint` runs, do not check in the workflows of GitHub."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from .address import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TEXTS = "\n".join(path.read_text(encoding="utf-8") for path in WORKFLOWS)


def jobs(path: Path) -> dict[str, dict[str, Any]]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_each_job_has_a_timeout(path: Path) -> None:
    assert [name for name, job in jobs(path).items() if "timeout-minutes" not in job] == []


def test_each_action_has_one_commit_and_names_its_version() -> None:
    used = re.findall(r"uses: ([\w-]+/[\w-]+)\S*@(.*)", TEXTS)
    commits: dict[str, set[str]] = {}
    for action, commit in used:
        assert re.fullmatch(r"[0-9a-f]{40} # v\d+\.\d+\.\d+", commit), (action, commit)
        commits.setdefault(action, set()).add(commit)
    assert len(used) > 10
    assert {action: found for action, found in commits.items() if len(found) > 1} == {}


def test_workflows_call_targets_that_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (phony,) = re.findall(r"^\.PHONY: ((?:.*\\\n)*.*)$", makefile, re.MULTILINE)
    calls = re.findall(r"- run: make ([^\n]+)", TEXTS)
    named = {word for call in calls for word in call.split() if "=" not in word}
    assert {"lint", "types", "layers", "build", "docs", "test-databases", "test-browser", "test-live"} <= named
    assert named <= set(phony.replace("\\\n", " ").split())


def test_only_the_release_has_rights() -> None:
    rights = {
        f"{path.stem}/{name}": sorted(right for right, kind in job.get("permissions", {}).items() if kind == "write")
        for path in WORKFLOWS
        for name, job in jobs(path).items()
    }
    assert {job: found for job, found in rights.items() if found} == {
        "codeql/analyze": ["security-events"],
        "release/attest": ["attestations", "id-token"],
        "release/publish": ["id-token"],
        "release/announce": ["contents"],
    }
    for path in WORKFLOWS:
        assert yaml.safe_load(path.read_text(encoding="utf-8"))["permissions"] in ({}, {"contents": "read"})


def test_no_workflow_reads_a_secret() -> None:
    assert "secrets." not in TEXTS
