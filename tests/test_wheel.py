"""The wheel: what it holds, and that it works alone, outside any checkout."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import urllib.request
import zipfile
from email.parser import BytesParser
from pathlib import Path
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.app_server import serving

ROOT = Path(__file__).resolve().parents[1]

pytestmark = pytest.mark.slow

BUILT = (
    "atlases",
    "cache",
    "calibrations",
    "downloads",
    "gene_sets",
    "neighbors",
    "runs",
    "uploads",
)
"""Folders of LGR_HOME, which is ``data/`` in a checkout."""

ELSEWHERE = {".git", ".venv", "artifacts", "benchmarks", "build", "dist", "docs", "tests"}
"""Top-level names that no wheel is made of."""

JUNK = (
    *(f"data/{folder}/planted/index.duckdb" for folder in BUILT),
    *("build/lib/lgr_core/planted.py", "pages/shared/__pycache__/planted.pyc"),
    ".streamlit/secrets.toml",
)
"""What a used checkout also holds."""

PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")
OFFLINE = ("--quiet", "--no-deps", "--no-index")
BUILD = ("--no-build-isolation", "--check-build-dependencies")

PAGE = """
import sys
from streamlit.testing.v1 import AppTest
from lgr_core.config import LAYOUT

sys.path.insert(0, str(LAYOUT.app.parent))  # as `streamlit run` does
app = AppTest.from_file(str(LAYOUT.app), default_timeout=120).run()
for page in ("predict", "data"):
    app.switch_page(f"pages/views/{page}.py").run()
    print(page, len(app.exception), sum("Trametinib" in block.body for block in app.html))
"""
"""Opens two pages, and prints how many exceptions and how many blocks with a drug each shows."""


def _run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _installed(folder, wheel):
    """A new environment in that folder with the wheel, and this one's packages behind it."""
    _run(sys.executable, "-m", "venv", "--without-pip", str(folder))
    python = folder / "bin" / "python"
    _run(*PIP, "--python", str(python), "install", *OFFLINE, str(wheel))
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(_run(str(python), "-c", ask).strip())
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return SimpleNamespace(bin=folder / "bin", site=site)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A used checkout: a copy of this one without what was built, and with junk in its places."""
    root = tmp_path_factory.mktemp("checkout")

    def left_out(folder, names):
        if Path(folder) == ROOT:
            return ELSEWHERE & set(names)
        return {*BUILT} & set(names) if Path(folder) == ROOT / "data" else {"__pycache__"}

    shutil.copytree(ROOT, root, ignore=left_out, dirs_exist_ok=True)
    for name in JUNK:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("planted")
    return root


@pytest.fixture(scope="module")
def wheel(checkout, tmp_path_factory):
    """The wheel of the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    _run(*PIP, "wheel", *OFFLINE, *BUILD, "-w", str(folder), ".", cwd=checkout)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def venv(wheel, tmp_path_factory):
    """Where the wheel is installed."""
    return _installed(tmp_path_factory.mktemp("venv"), wheel)


@pytest.fixture(scope="module")
def alone(venv, tmp_path_factory):
    """How commands run: in an empty folder, by a user who has nothing and sets nothing."""
    folder = tmp_path_factory.mktemp("alone")
    decoy = folder / "decoy" / "pages"
    decoy.mkdir(parents=True)
    (decoy / "__init__.py").write_text("raise RuntimeError('not the pages of the app')")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "XDG_DATA_HOME": str(folder / "share"),
        "PYTHONPATH": str(decoy.parent),
    }
    home = folder / "share" / "lgr-explorer"
    return SimpleNamespace(folder=folder, environment=environment, home=home)


@pytest.fixture(scope="module")
def lgr(venv, alone):
    """Run a command of the installed package; gives its JSON."""

    def run(*arguments):
        command = (str(venv.bin / "lgr"), *arguments, "--json")
        return json.loads(_run(*command, cwd=alone.folder, env=alone.environment))

    return run


@pytest.fixture(scope="module")
def demo(lgr):
    """What ``lgr demo`` says when it is done."""
    return lgr("demo")


def _names(wheel):
    return {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}


def _shipped(folder):
    files = (path.relative_to(ROOT).as_posix() for path in folder.rglob("*") if path.is_file())
    return {file for file in files if "__pycache__" not in file}


def test_the_wheel_holds_the_package_the_app_and_the_shipped_data(wheel):
    """Every file of them, no built one, whatever else lies in the checkout."""
    app = {"app.py", ".streamlit/config.toml"} | _shipped(ROOT / "pages")
    data = {f"data/{path.name}" for path in (ROOT / "data").iterdir() if path.is_file()}
    data |= _shipped(ROOT / "data" / "recorded_neighbors")
    data |= _shipped(ROOT / "data" / "expected_signatures")
    data |= _shipped(ROOT / "data" / "benchmark_runs")
    inside = {f"lgr_core/_app/{name}" for name in app} | {f"lgr_core/{name}" for name in data}
    assert {"lgr_core/py.typed", "lgr_core/data/programs.gmt"} <= _names(wheel)
    assert _names(wheel) == inside | _shipped(ROOT / "lgr_core")


def _hatchling(checkout, target, folder):
    """What hatchling builds of the checkout for that target."""
    build = (sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder))
    _run(*build, cwd=checkout)
    return next(folder.iterdir())


def test_a_wheel_by_way_of_the_sdist_is_the_same(checkout, wheel, tmp_path):
    """The sdist holds all that its wheel needs, and nothing that was built."""
    sdist = _hatchling(checkout, "sdist", tmp_path)
    _run(*PIP, "wheel", *OFFLINE, *BUILD, "-w", str(tmp_path), str(sdist))
    assert _names(next(tmp_path.glob("*.whl"))) == _names(wheel)


def _top_names(site):
    names = {path.name for path in site.iterdir()} - {"dependencies.pth", "__pycache__"}
    return {name for name in names if not name.endswith(".dist-info")}


def test_one_name_is_installed(venv):
    """Beside the metadata nothing but lgr_core: no ``pages``, ``data`` or ``app``."""
    assert _top_names(venv.site) == {"lgr_core"}


def test_an_editable_install_uses_the_checkout(checkout, tmp_path):
    """Nothing is copied; the app, the data and the default home are the checkout's."""
    editable = _hatchling(checkout, "wheel:editable", tmp_path / "built")
    venv = _installed(tmp_path / "venv", editable)
    assert _top_names(venv.site) == {"_lgr_explorer.pth"}
    ask = "from lgr_core.config import LAYOUT; print(LAYOUT.app, LAYOUT.shipped, LAYOUT.home)"
    places = _run(str(venv.bin / "python"), "-P", "-c", ask, cwd=tmp_path).split()
    assert [Path(place) for place in places] == [
        checkout / name for name in ("app.py", "data", "data")
    ]


def _stated(name):
    lines = (ROOT / name).read_text().splitlines()
    return [Requirement(line) for line in lines if line and line[0] not in "#-"]


def _compared(requirements):
    return {(canonicalize_name(each.name), each.specifier) for each in requirements}


def test_each_dependency_is_stated_once():
    """No two requirements files name the same package."""
    files = sorted(path.name for path in ROOT.glob("requirements*.txt"))
    names = [canonicalize_name(each.name) for file in files for each in _stated(file)]
    assert files[0] == "requirements-chemcpa.txt"
    assert len(names) == len(set(names))


def test_the_metadata_follow_pyproject_and_the_requirements_files(wheel):
    """The version, what is always installed, and what each extra adds."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith("/METADATA"))
        headers = BytesParser().parsebytes(archive.read(name))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    required = [Requirement(line) for line in headers.get_all("Requires-Dist")]
    always = [each for each in required if each.marker is None]
    assert headers["Version"] == project["version"]
    assert _compared(always) == _compared(_stated("requirements.txt"))
    files = {"chemcpa": ["requirements-chemcpa.txt"], "scale": ["requirements-scale.txt"]}
    files["dev"] = ["requirements-dev.txt", "requirements-scale.txt"]
    assert set(headers.get_all("Provides-Extra")) == set(files)
    for extra, names in files.items():
        added = [
            each for each in required if each.marker and each.marker.evaluate({"extra": extra})
        ]
        assert _compared(added) == _compared(each for name in names for each in _stated(name))


def test_commands_run_alone(lgr, alone, demo):
    """A user without a checkout builds, asks and scores in the data folder of the platform."""
    report = lgr("doctor")
    assert report["installation"]["LGR_HOME"] == str(alone.home)
    assert report["missing"] == []
    assert (demo["name"], demo["n_conditions"]) == ("demo", 1800)
    assert demo["shared_wells"] == "yes"
    answer = lgr("predict", "--cell-line", "A549", "--drug", "Trametinib", "--k", "3")
    assert (answer["k_used"], len(answer["delta"])) == (3, len(answer["genes"]))
    few = ("--methods", "zero,cell_mean", "--regime", "unseen_drug", "--folds", "2")
    scored = lgr("benchmark", "--atlas", "demo", *few, "--max-queries", "4", "--workers", "1")
    assert {row["method"] for row in scored["summary"]} >= {"zero", "cell_mean"}
    assert Path(scored["folder"]) == alone.home / "runs" / "demo"


def test_recorded_answers_are_installed(lgr, demo):
    """A language model's neighbours are found though nobody has asked one here."""
    question = ("--cell-line", "LoVo", "--drug", "Trametinib", "--selector", "llm")
    found = lgr("retrieve", "--atlas", demo["name"], *question)
    assert found["k_used"] == 10
    assert all(neighbor["rationale"] for neighbor in found["neighbors"])


def test_pages_open_without_an_exception(venv, alone, demo):
    """One that predicts, and one that reads the shipped table of results."""
    assert demo["simulated"]
    command = (str(venv.bin / "python"), "-P", "-c", PAGE)
    told = _run(*command, cwd=alone.folder, env=alone.environment).split()
    assert told[:2] == ["predict", "0"]
    assert int(told[2]) > 0
    assert told[3:5] == ["data", "0"]


def test_lgr_app_serves_the_packaged_app(venv, alone, tmp_path):
    """Its own pages and settings, though a folder named ``pages`` stands on the search path."""
    lgr = [str(venv.bin / "lgr")]
    log = tmp_path / "log"
    with (
        serving(lgr, alone.environment, cwd=alone.folder / "decoy", log=log) as address,
        urllib.request.urlopen(address, timeout=10) as answer,  # noqa: S310 - our own address
    ):
        assert answer.status == 200
        assert "rel=modulepreload" in answer.headers["Link"]  # which the app's own layer adds
    assert "Traceback" not in log.read_text()
    assert "usage statistics" not in log.read_text()  # which .streamlit/config.toml switches off


def test_the_first_page_of_the_site_leads_to_a_prediction(venv, alone, demo):
    """Step by step as it stands there; installing and building the demo are done by fixtures."""
    text = (ROOT / "docs" / "start.md").read_text("utf-8")
    steps = re.findall(r"^\.venv/bin/(.+)$", text, flags=re.MULTILINE)
    assert steps[:2] == ["pip install .", f"lgr {demo['name']}"]
    assert steps[-1] == "lgr app"
    for step in steps[2:-1]:
        program, *words = step.split()
        shown = _run(
            str(venv.bin / program), *words, cwd=alone.folder, env=alone.environment
        ).splitlines()
    assert shown[0] == "SIMULATED data: not a measurement."
    assert shown[1].startswith("Trametinib in A549 at 5 uM: ")
    assert shown[-1].startswith("against the measured change: pearson_delta 0.")


NOT_RUN = {"benchmark", "ingest", "fetch"}
"""Commands of the README that take minutes, or need data or the network."""


def test_the_readme_runs_on_the_demo(venv, alone, demo):
    """Every command that needs neither data nor network, and the lines of Python."""
    text = (ROOT / "README.md").read_text("utf-8").split("## From the shell", 1)[1]
    options = {"cwd": alone.folder, "env": alone.environment}
    shell, python = (
        re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
        for language in ("sh", "python")
    )
    commands = [line.split("#")[0].split() for line in shell[0].splitlines()]
    assert {words[1] for words in commands} >= NOT_RUN | {"predict", "search", "twins"}
    for program, command, *words in commands:
        if command not in NOT_RUN:
            assert _run(str(venv.bin / program), command, *words, **options)
    shown = _run(str(venv.bin / "python"), "-P", "-c", python[0], **options)
    assert "Binimetinib" in shown
