"""Each dependency has an upper bound, constraints fit them, and an audit says if it cannot."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(ROOT.glob("requirements*.txt"))


def stated(file):
    """The requirements of a file."""
    lines = (line.strip() for line in file.read_text().splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith(("#", "-"))]


def constraints():
    """Versions by name."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pairs = [line.split("==") for line in lines if not line.startswith("#")]
    return {canonicalize_name(name): Version(version) for name, version in pairs}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_dependency_ends_before_a_next_major_version(file):
    """Or is one version alone."""
    for each in stated(file):
        ends = [part for part in each.specifier if part.operator in {"<", "=="}]
        assert len(ends) == 1, str(each)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_constraints_are_versions_that_may_be_installed(file):
    """Of each dependency but torch, whose builds differ by machine."""
    versions = constraints()
    for each in stated(file):
        if each.name != "torch":
            assert each.specifier.contains(versions[canonicalize_name(each.name)]), str(each)


def test_the_constraints_name_no_host():
    """Where packages come from is each machine's own."""
    assert not re.search(r"://|@|--", (ROOT / "constraints.txt").read_text())


def imported():
    """What the core and the pages import, by the first part of its name."""
    for path in (ROOT / "app.py", *ROOT.glob("lgr_core/**/*.py"), *ROOT.glob("pages/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from (alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield node.module.split(".")[0]


def test_what_is_imported_is_stated():
    """Nothing is left to what another dependency happens to bring."""
    own = {canonicalize_name(each.name) for file in FILES for each in stated(file)}
    optional = {"hdf5plugin"}
    ours = {"lgr_core", "pages", "__future__"}
    others = set(imported()) - set(sys.stdlib_module_names) - ours - optional
    assert {canonicalize_name(name) for name in others} <= own


def audit(folder, pip_audit):
    """Run the audit with a program in the place of pip-audit, or none; pip finds nothing."""
    programs = {"pip": "exit 1"} | ({} if pip_audit is None else {"pip-audit": pip_audit})
    for name, does in programs.items():
        program = folder / name
        program.write_text(f"#!/bin/sh\nfor report; do :; done\n{does}\n")
        program.chmod(0o755)
    return subprocess.run(
        [ROOT / ".ci" / "audit", folder], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("pip_audit", "code", "skipped"),
    [
        (None, 0, True),
        ("exit 1", 0, True),
        ('echo found > "$report"; exit 1', 1, False),
        ('echo none > "$report"', 0, False),
    ],
)
def test_an_audit_that_cannot_look_up_says_so(tmp_path, pip_audit, code, skipped):
    """And one that finds something fails."""
    ended = audit(tmp_path, pip_audit)
    assert ended.returncode == code
    assert ("audit skipped" in ended.stdout) is skipped


def test_the_container_holds_the_shipped_data():
    """Every folder of the data that the wheel ships is sent to the build."""
    text = (ROOT / "pyproject.toml").read_text()
    shipped = set(re.findall(r'"!/(data/\w+)/"', text))
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().split() if line[0] == "!"}
    assert shipped
    assert sent == shipped


def test_the_container_runs_as_nobody_in_particular():
    """With the constraints, a health check and a volume; uploads are off."""
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert "USER lgr" in lines
    assert any(
        line.startswith("RUN pip install") and "-c constraints.txt" in line for line in lines
    )
    assert any(line.startswith("HEALTHCHECK") for line in lines)
    assert any(line.startswith("VOLUME") for line in lines)
    assert any("LGR_UPLOADS=0" in line for line in lines)
