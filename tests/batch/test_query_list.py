"""Lists of queries: every line is read, refused with its reason, or counted as repeated."""

import pytest

from lgr_core.atlas.store import open_atlas
from lgr_core.batch.query_list import QueryRow, RefusedRow, crossed, listed, read_query_rows
from lgr_core.domain import Condition
from lgr_core.drugs.cell_lines import CellLineCatalog
from lgr_core.errors import AmbiguousError, InputError, NotFoundError
from tests.support.toy_atlas import build_toy

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"
TOFACITINIB = "C[C@@H]1CCN(C[C@@H]1N(C)C2=NC=NC3=C2C=CN3)C(=O)CC#N"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """The toy atlas."""
    folder = tmp_path_factory.mktemp("home") / "atlases"
    build_toy(folder / "toy")
    return open_atlas("toy", folder)


def queries(reading):
    """What was asked for in the end."""
    return [pool.query for pool in reading.pools]


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("Trametinib, A549", QueryRow("Trametinib", "A549")),
        ("Trametinib, A549, 5", QueryRow("Trametinib", "A549", "5")),
        ("Trametinib\tA549\t500 nM", QueryRow("Trametinib", "A549", "500 nM")),
        ("Trametinib; A549; 5", QueryRow("Trametinib", "A549", "5")),
        ('"1,2-thing", A549', QueryRow("1,2-thing", "A549")),
        ("cell_line,drug,dose_um\nA549,Trametinib,5", QueryRow("Trametinib", "A549", "5")),
        ("Compound;Dose (nM);Cell line\nX;500;LoVo", QueryRow("X", "LoVo", "500", "nM")),
        ("drug,cell line,dose (µM),note\nX,LoVo,5,hello", QueryRow("X", "LoVo", "5")),
        ("X, A549, 5, MEK inhibitor", QueryRow("X", "A549", "5", moa="MEK inhibitor")),
        ("X, A549, , CC(=O)O", QueryRow("X", "A549", smiles="CC(=O)O")),
        ("smiles,cell_line,moa\nCCO,A549,x", QueryRow("", "A549", smiles="CCO", moa="x")),
    ],
)
def test_a_line_is_read_in_many_forms(text, wish):
    """Commas, semicolons, tabs, quotes; a heading sets order and unit, other columns are left."""
    assert listed(text) == [wish]


@pytest.mark.parametrize("line", ["Trametinib", "a, b, c, d, e", ", A549", '"Trametinib, A549'])
def test_a_line_of_another_length_is_refused(line):
    """With its text; the lines about it are read."""
    before, wrong, after = listed(f"X, A549\n{line}\nY, LoVo")
    assert isinstance(wrong, RefusedRow)
    assert wrong.text == line.strip()
    assert isinstance(wrong.error, InputError)
    assert (before.drug, after.drug) == ("X", "Y")


def test_lists_are_crossed_line_by_line():
    """Every drug in every line, names once; the dose goes with all."""
    found = crossed("A\n\nB\nA", "X\nY\n", "5")
    assert [str(wish) for wish in found] == ["A, X, 5", "B, X, 5", "A, Y, 5", "B, Y, 5"]


def test_a_crossed_drug_may_bring_what_it_is():
    """A structure or a mechanism after a semicolon or tab."""
    first, second = crossed("A; MEK inhibitor\nB\tCC(=O)O", "X")
    assert (first.drug, first.moa, first.smiles) == ("A", "MEK inhibitor", "")
    assert (second.drug, second.moa, second.smiles) == ("B", "", "CC(=O)O")


def test_new_drugs_are_queries_by_structure_mechanism_or_known_name(store):
    """One structure is one drug; the same compound as a measured one leaves that out."""
    lines = [
        f"{ASPIRIN}, A549",
        f"{ASPIRIN}, LoVo",
        "My drug, A549, 5, MEK inhibitor",
        "Dabrafenib, A549",
        f"My salt, A549, 5, {TOFACITINIB}",
    ]
    reading = read_query_rows(store, listed("\n".join(lines)))
    assert not reading.refused
    assert [query.drug for query in queries(reading)] == [
        *("New compound 1", "New compound 1", "My drug", "Dabrafenib", "My salt"),
    ]
    assert reading.new_drugs["New compound 1"].smiles == ASPIRIN
    assert reading.new_drugs["My drug"].moa == "MEK inhibitor"
    assert reading.pools[4].twins == ("Tofacitinib", "Tofacitinib (citrate)")
    assert "Trametinib" in reading.pools[2].drugs
    assert "New compound 1" not in store.drug_catalog


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("C1=CC, A549", "not written as SMILES"),
        ("My drug, A549, 5, CC(=O", "not written as SMILES"),
        ("FCCCP, A549", "neither its structure nor its mechanism"),
        ("Trametinip, A549", "neither its structure nor its mechanism"),
    ],
)
def test_what_is_no_drug_is_refused_in_its_place(store, line, found):
    """A structure that cannot be read, and a name of which nothing is known."""
    reading = read_query_rows(store, listed(f"Trametinib, A549\n{line}\nTrametinib, LoVo"))
    assert [refused.place for refused in reading.refused] == [1]
    assert found in reading.refused[0].error.found
    assert len(reading.pools) == 2


def test_one_name_is_one_new_drug(store):
    """A second structure for it is refused."""
    lines = f"Mine, A549, , {ASPIRIN}\nMine, LoVo, , CCOc1ccccc1\nMine, LoVo, , {ASPIRIN}"
    reading = read_query_rows(store, listed(lines))
    assert [query.cell_line for query in queries(reading)] == ["A549", "LoVo"]
    assert "another structure" in reading.refused[0].error.found


def test_names_and_doses_are_read_as_the_atlas_has_them(store):
    """Case, forms of a line's name and units; no dose is the highest."""
    text = "trametinib, hepg2 c3a\nTrametinib, A549, 500 nM\nVorinostat, A549"
    reading = read_query_rows(store, listed(text))
    assert queries(reading) == [
        Condition("HepG2/C3A", "Trametinib", 5.0),
        Condition("A549", "Trametinib", 0.5),
        Condition("A549", "Vorinostat", 5.0),
    ]
    assert not reading.refused
    assert "'trametinib' was read as 'Trametinib'." in reading.notes


def test_nothing_of_a_list_is_lost(store):
    """Queries, repeats and refusals add up to the lines; a refusal names the nearest."""
    lines = [
        "Trametinib, A549",
        "TRAMETINIB, a549, 5",
        "Trametinip, A549",
        "Trametinib, A55",
        "Trametinib, A549, 77",
        "Trametinib, A549, much",
        "Trametinib, A549, pooled",
        "Trametinib",
    ]
    reading = read_query_rows(store, listed("\n".join(lines)))
    assert len(reading.pools) + reading.repeated + len(reading.refused) == len(lines)
    assert queries(reading) == [Condition("A549", "Trametinib", 5.0)]
    errors = {refused.text: refused.error for refused in reading.refused}
    assert "Trametinib" in errors["Trametinip, A549"].do
    assert isinstance(errors["Trametinib, A55"], NotFoundError)
    assert "5 uM, 0.5 uM" in errors["Trametinib, A549, 77"].found
    assert isinstance(errors["Trametinib, A549, much"], InputError)
    assert isinstance(errors["Trametinib, A549, pooled"], NotFoundError)


def test_an_ambiguous_name_is_refused_with_its_readings(store):
    """Two lines that read alike."""
    before = store.cell_line_catalog
    store.__dict__["cell_line_catalog"] = CellLineCatalog(["LoVo", "LO-VO", "A549"])
    reading = read_query_rows(store, listed("Trametinib, lo vo"))
    store.__dict__["cell_line_catalog"] = before
    assert isinstance(reading.refused[0].error, AmbiguousError)
    assert "LO-VO or LoVo" in str(reading.refused[0].error)
