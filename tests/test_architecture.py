"""The house holds: rooms import upwards only, edge libraries stay in the files named for them."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CORE = ROOT / "lgr_core"

ROOMS = (
    "nearest",
    "remedies",
    "errors",
    "files",
    "display",
    "domain",
    "config",
    "glossary",
    "processes",
    "metrics",
    "drugs",
    "atlas",
    "signatures",
    "llm",
    "retrieval",
    "prediction",
    "figures",
    "evaluation",
    "audit",
    "answer",
    "enrichment",
    "batch",
    "api",
    "doctor",
    "cli",
    "__main__",
)
"""Every room imports only rooms that stand before it; the package itself names them all."""

EDGES = {
    "anndata": {"atlas/sources/*", "answer/export.py", "answer/answer.py", "api/*"},
    "h5py": {"atlas/sources/*"},
    "pyarrow": {"atlas/sources/*", "evaluation/cell_eval.py", "evaluation/splits.py"},
    "filelock": {"files.py"},
    "fcntl": set(),
    "duckdb": {"atlas/build.py", "atlas/reader.py"},
    "huggingface_hub": {"atlas/download.py"},
    "platformdirs": {"config.py"},
    "distributed": {"atlas/executors.py"},
    "rdkit": {"drugs/chemistry.py", "drugs/counter_ions.py"},
    "openai": {"llm/client.py", "llm/transport.py"},
    "httpx2": {"atlas/download.py", "llm/transport.py"},
    "torch": {"prediction/chemcpa/network.py", "prediction/chemcpa/training.py"},
    "plotly": {"figures/*", "evaluation/figures/*"},
    "matplotlib": {"evaluation/figures/print_panels.py"},
    "gseapy": {"enrichment.py"},
    "jinja2": {"evaluation/fragments.py"},
    "streamlit": set(),
}
"""Which files may import which edge library."""

FILES = sorted(CORE.rglob("*.py"))


def _imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _room(path):
    return path.relative_to(CORE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(CORE)))
def test_rooms_import_upwards_only(path):
    """A room never imports one that stands below it."""
    here = _room(path)
    if here == "__init__":
        return
    for module in _imports(path):
        parts = module.split(".")
        if parts[0] == "lgr_core" and len(parts) > 1 and parts[1] in ROOMS:
            assert ROOMS.index(parts[1]) <= ROOMS.index(here), f"{here} imports {module}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(CORE)))
def test_edge_libraries_stay_in_their_files(path):
    """An edge library is imported only where the house says so; the core knows no Streamlit."""
    place = path.relative_to(CORE)
    for module in _imports(path):
        library = module.split(".")[0]
        if library in EDGES:
            assert any(place.match(pattern) for pattern in EDGES[library]), f"{place}: {library}"


def test_only_config_reads_the_environment():
    """No file but config.py touches os.environ."""
    words = ("os.environ", "getenv")
    readers = [p.name for p in FILES if any(word in p.read_text() for word in words)]
    offenders = [name for name in readers if name != "config.py"]
    assert offenders == []


def test_every_room_is_listed():
    """A new file at the top of the core must be given its place in the order."""
    rooms = {_room(path) for path in FILES} - {"__init__"}
    assert rooms <= set(ROOMS)


def test_only_the_registry_imports_chemcpa_and_only_when_it_is_asked_for():
    """A package of its own behind the registry of methods."""
    package = "lgr_core.prediction.chemcpa"
    users = [
        str(path.relative_to(CORE))
        for path in FILES
        if any(module.startswith(package) for module in _imports(path))
        and not path.is_relative_to(CORE / "prediction" / "chemcpa")
    ]
    assert users == ["evaluation/registry.py"]
    code = f"import sys, lgr_core.evaluation.registry; sys.exit({package!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
