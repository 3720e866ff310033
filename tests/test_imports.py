"""What a command imports: no more than it needs, so that it starts at once."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import lgr_core
from lgr_core.cli import parser
from lgr_core.cli.commands import GROUPS, SUMMARIES

ROOT = Path(__file__).resolve().parents[1]

SLOW = {"anndata", "dask", "gseapy", "h5py", "huggingface_hub", "jinja2", "openai", "plotly"}
SLOW |= {"rdkit", "scipy.optimize", "scipy.stats", "sklearn", "streamlit", "torch", "zarr"}
"""What an answer needs nothing of."""

ARRAYS = {"numpy", "pandas", "scipy", "duckdb", "pyarrow"}

RUN = """
import json, sys
from lgr_core.cli import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
json.dump(sorted(sys.modules), sys.stderr)
"""


def loaded(*arguments, home=None):
    """The modules that a process has loaded after a command."""
    environment = {"PATH": "", "LGR_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-c", RUN, *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=environment,
    )
    assert done.stdout
    return set(json.loads(done.stderr.splitlines()[-1]))


def test_help_loads_neither_tables_nor_chemistry(tmp_path):
    """``lgr --help`` lists every command without importing one."""
    modules = loaded("--help", home=tmp_path)
    assert modules & (SLOW | ARRAYS) == set()
    assert "lgr_core.cli.commands" in modules


def test_a_prediction_loads_what_it_computes_with_alone(toy_home):
    """Files, figures, language models and chemistry are not loaded for a rule's answer."""
    query = ("--atlas", "toy", "--cell-line", "A549", "--drug", "Trametinib")
    modules = loaded("predict", *query, home=toy_home)
    assert modules & SLOW == set()
    assert "lgr_core.answer.predict" in modules


def test_the_table_of_commands_is_that_of_the_modules():
    """Every module that adds commands is listed, and adds those that are listed."""
    folder = ROOT / "lgr_core" / "cli"
    adding = {
        path.stem
        for path in folder.glob("*.py")
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name == "add"
    }
    assert adding == set(GROUPS)
    (commands,) = (a for a in parser()._actions if a.dest == "command" or a.choices)
    shown = {action.dest: action.help for action in commands._choices_actions}
    assert shown == SUMMARIES


@pytest.mark.parametrize("command", SUMMARIES)
def test_one_command_is_parsed_as_among_all(command):
    """Its flags do not depend on whether the other commands are imported."""
    every, alone = (
        next(action for action in top._actions if action.choices).choices[command].format_help()
        for top in (parser(), parser(command))
    )
    assert every == alone


def test_public_names_are_those_of_the_stub():
    """Type checkers read the stub; it names the same modules."""
    tree = ast.parse((ROOT / "lgr_core" / "__init__.pyi").read_text("utf-8"))
    stated = {
        alias.asname: node.module
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert stated == lgr_core._MODULE_OF
    for name in lgr_core.__all__:
        assert getattr(lgr_core, name) is not None


def test_an_unknown_public_name_is_an_attribute_error():
    """As of any module."""
    with pytest.raises(AttributeError, match="no attribute 'predct'"):
        _ = lgr_core.predct
