"""The files that ship: complete, consistent, sourced."""

import csv
import gzip
import json
import re
from pathlib import Path

import pytest

from lgr_core.config import SHIPPED
from lgr_core.drugs.mechanisms import MechanismAnnotations
from lgr_core.retrieval.neighbor_files import read_neighbors

CSV_FILES = ("drugs.csv", "mechanisms.csv", "cell_lines.csv", "demo_genes.csv")
KEYS = {"drugs.csv": "drug", "mechanisms.csv": "tag"}
KEYS |= {"cell_lines.csv": "cell_line", "demo_genes.csv": "gene"}
SYMBOL = re.compile(r"[A-Z][A-Z0-9]*(orf\d+)?(-[A-Z0-9]+)*")
OURS = "textbook pharmacology, annotated for this project by a language model"
TAHOE = "Tahoe-100M metadata (LLM-written at source)"
EMPTY = "none known: left empty"


def _rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def _list(cell):
    return cell.split(";") if cell else []


@pytest.fixture(scope="module")
def drugs():
    """The rows of drugs.csv."""
    return _rows(SHIPPED / "drugs.csv")


@pytest.fixture(scope="module")
def book():
    """The shipped book; loading checks that tags and signatures are defined."""
    return MechanismAnnotations.load()


@pytest.mark.parametrize("name", CSV_FILES)
def test_every_row_is_whole_named_once_and_sourced(name):
    """No short row, no stray space, no name twice, no row without a source."""
    rows = _rows(SHIPPED / name)
    names = [row[KEYS[name]] for row in rows]
    assert len(names) == len(set(names)) > 40
    assert all(names)
    assert all(row["source"] for row in rows)
    cells = [cell for row in rows for cell in row.values()]
    assert all(isinstance(cell, str) and cell == cell.strip() for cell in cells)


@pytest.mark.parametrize("name", [*CSV_FILES, "programs.gmt", "README.md"])
def test_files_are_plain_utf8(name):
    """UTF-8 without byte-order mark or carriage returns, ending in a line feed."""
    raw = (SHIPPED / name).read_bytes()
    raw.decode("utf-8")
    assert not raw.startswith(b"\xef\xbb\xbf")
    assert b"\r" not in raw
    assert raw.endswith(b"\n")


def test_tags_and_targets_are_sorted_out(drugs, book):
    """Tags exist, none twice in a row, and targets look like gene symbols."""
    for row in drugs:
        tags, targets = _list(row["mechanisms"]), _list(row["targets"])
        assert set(tags) <= set(book.mechanisms)
        assert len(tags) == len(set(tags))
        assert len(targets) == len(set(targets))
        assert all(SYMBOL.fullmatch(gene) for gene in targets), row["drug"]


def test_an_annotation_says_who_made_it(drugs):
    """Tags or targets come with a known source; a row without both says that it was left empty."""
    for row in drugs:
        known = {OURS, TAHOE} if row["mechanisms"] or row["targets"] else {EMPTY}
        assert row["mechanism_source"] in known, row["drug"]


def test_drugs_have_structures_and_ids(drugs):
    """Structure and id are missing only where Tahoe has none; PubChem ids are whole numbers."""
    missing = {row["drug"] for row in drugs if not row["smiles"]}
    assert missing == {"Sacubitril/Valsartan", "Verteporfin"}
    ids = [row["pubchem_cid"] for row in drugs if row["drug"] not in missing]
    assert all(re.fullmatch(r"[1-9]\d*", cid) for cid in ids)


def test_two_forms_of_a_drug_have_the_same_mechanism(book):
    """A salt acts as its base does: shared names before the bracket carry the same tags."""
    by_base = {}
    for drug in book.drugs.values():
        base = re.sub(r" \(.*", "", drug.drug).casefold()
        by_base.setdefault(base, set()).add((drug.tags, drug.targets))
    assert [base for base, said in by_base.items() if len(said) > 1] == []


def test_mechanisms_are_usable(book):
    """Labels are unique, and no mechanism both raises and lowers the same signature."""
    mechanisms = book.mechanisms.values()
    assert len({m.label for m in mechanisms}) == len(book.mechanisms)
    assert all(m.programme for m in mechanisms)
    assert not any(set(m.up) & set(m.down) for m in mechanisms)


def test_a_term_means_one_mechanism(book):
    """No label of one mechanism is read as another's, and each tag reads its own label or none."""
    for mechanism in book.mechanisms.values():
        read = [m.tag for m in book.mechanisms.values() if m.terms.fullmatch(mechanism.label)]
        assert read in ([], [mechanism.tag]), mechanism.label


def test_signatures_hold_gene_symbols(book):
    """Every signature has a gene, no gene twice, and all look like human symbols."""
    for name, signature in book.signatures.items():
        genes = [*signature.up, *signature.down]
        assert genes, name
        assert len(genes) == len(set(genes)), name
        assert all(SYMBOL.fullmatch(gene) for gene in genes), name


def test_every_signature_is_used(book):
    """A signature that no mechanism moves would be dead weight."""
    used = {name for m in book.mechanisms.values() for name in m.up + m.down}
    assert set(book.signatures) == used


RECORDED = (
    ("tahoe110_A549", "A549", 110, 14),
    ("tahoe110_LoVo", "LoVo", 110, 14),
    ("tahoe110_HepG2-C3A", "HepG2/C3A", 110, 14),
    ("tahoe379_A549", "A549", 379, 15),
    ("cpc006_HT115", "HT115", 310, 12),
)
FOR_TESTS = Path(__file__).parent / "data" / "recorded_neighbors"


@pytest.mark.parametrize(("name", "line", "n_drugs", "n_neighbors"), RECORDED)
def test_recorded_answers_are_whole_and_sourced(name, line, n_drugs, n_neighbors):
    """Every drug asked for once, as many neighbours each, all of the list, few reasons twice."""
    folder = FOR_TESTS if name.startswith("cpc") else SHIPPED / "recorded_neighbors"
    path = folder / f"{name}.jsonl"
    records = list(read_neighbors(path))
    drugs = {record.drug for record in records}
    assert len(records) == len(drugs) == n_drugs
    assert {record.cell_line for record in records} == {line}
    assert {len(record.proposals) for record in records} == {n_neighbors}
    for record in records:
        named = [proposal.text for proposal in record.proposals]
        assert len(set(named)) == n_neighbors
        assert set(named) <= drugs - {record.drug}
    reasons = [p.rationale for record in records for p in record.proposals]
    assert len(set(reasons)) > 0.99 * len(reasons)
    lines = [json.loads(text) for text in path.read_text("utf-8").splitlines()]
    assert {line["n_candidates"] for line in lines} == {n_drugs - 1}
    assert all("recorded 2026-11-30, no access to expression data" in r.source for r in records)


def test_the_shipped_files_are_these():
    """No older answer is left beside them."""
    shipped = {path.stem for path in (SHIPPED / "recorded_neighbors").iterdir()}
    assert shipped == {name for name, *_ in RECORDED} - {"cpc006_HT115"}


def test_cell_lines_have_ids():
    """Cellosaurus ids are well-formed; DepMap ids too, where there is one."""
    for row in _rows(SHIPPED / "cell_lines.csv"):
        assert re.fullmatch(r"CVCL_[0-9A-Z]{4}", row["cellosaurus"])
        assert re.fullmatch(r"(ACH-\d{6})?", row["depmap_id"])
        assert row["organ"]
        assert all(SYMBOL.fullmatch(gene) for gene in _list(row["driver_genes"]))


@pytest.mark.real
def test_drugs_agree_with_tahoe(real_data, drugs):
    """Names, SMILES (trimmed) and ids are Tahoe's; so are the targets said to be its own."""
    theirs = {row["drug"]: row for row in _rows(real_data / "tahoe_meta" / "drug_metadata.csv")}
    assert {row["drug"] for row in drugs} == set(theirs)
    for row in drugs:
        known = theirs[row["drug"]]
        assert row["smiles"] == known["canonical_smiles"].strip()
        assert row["pubchem_cid"] == known["pubchem_cid"].removesuffix(".0")
        if row["mechanism_source"] == TAHOE:
            assert set(_list(row["targets"])) <= set(re.split(r",\s*", known["targets"]))


@pytest.mark.real
def test_our_targets_mostly_meet_tahoes(real_data, drugs):
    """Where both name targets, at least nine in ten drugs share one."""
    theirs = {row["drug"]: row for row in _rows(real_data / "tahoe_meta" / "drug_metadata.csv")}
    both = [
        (set(_list(row["targets"])), set(re.split(r",\s*", theirs[row["drug"]]["targets"])))
        for row in drugs
        if row["targets"] and theirs[row["drug"]]["targets"]
    ]
    assert len(both) > 200
    assert sum(bool(ours & known) for ours, known in both) > 0.9 * len(both)


@pytest.mark.real
def test_the_demo_has_the_drugs_of_the_measured_atlas(real_data, drugs):
    """The 110 drugs of tahoe_rank are the demo's, name for name."""
    measured = {row["drug"] for row in _rows(real_data / "tahoe_rank" / "drugs.csv")}
    assert {row["drug"] for row in drugs if row["demo_doses_um"]} == measured


@pytest.mark.real
def test_cell_lines_agree_with_the_measured_atlas(real_data):
    """All 47 lines of tahoe_rank are there, with the same ids, organ and drivers."""
    ours = {row["cell_line"]: row for row in _rows(SHIPPED / "cell_lines.csv")}
    for row in _rows(real_data / "tahoe_rank" / "cell_lines.csv"):
        assert row.items() <= ours[row["cell_line"]].items()


@pytest.mark.real
def test_gene_symbols_exist(real_data, book):
    """Every gene that we ship, in signatures, targets or demo, is a symbol of Ensembl 109."""
    with gzip.open(
        real_data / "tahoe_meta" / "gene_metadata.csv.gz", "rt", encoding="utf-8"
    ) as file:
        known = {row["gene_symbol"] for row in csv.DictReader(file)}
    ours = {row["gene"] for row in _rows(SHIPPED / "demo_genes.csv")}
    ours |= {gene for s in book.signatures.values() for gene in s.up + s.down}
    ours |= {gene for entry in book.drugs.values() for gene in entry.targets}
    ours |= {gene for mechanism in book.mechanisms.values() for gene in mechanism.targets}
    assert ours - known == set()


def test_gene_aliases_are_sourced_and_lead_to_symbols():
    """No alias is its own gene, and none stands twice for the same one."""
    rows = _rows(SHIPPED / "gene_aliases.csv")
    pairs = [(row["alias"].casefold(), row["gene"]) for row in rows]
    assert len(set(pairs)) == len(pairs) > 300
    assert all(alias != gene.casefold() for alias, gene in pairs)
    assert all(SYMBOL.fullmatch(row["gene"]) for row in rows)
    assert {row["kind"] for row in rows} == {"previous symbol", "common name"}
    assert all(row["source"] for row in rows)
