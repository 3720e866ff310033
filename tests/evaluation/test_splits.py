"""Splits from files: read by the atlas's names, made disjoint by unit, nothing dropped silently."""

import logging
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from lgr_core.errors import InputError, NotFoundError, UsageError
from lgr_core.evaluation.folds import make_folds
from lgr_core.evaluation.regimes import Regime
from lgr_core.evaluation.split_reader import SplitMasks
from lgr_core.evaluation.splits import read_split, write_split
from tests.support.toy_atlas import DRUGS, LINES


def arrow(path, columns, *, stream=False):
    """Write columns as an Arrow file, or as the stream that data set libraries write."""
    table = columns if isinstance(columns, pa.Table) else pa.table(columns)
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = pa.ipc.new_stream if stream else pa.ipc.new_file
    with pa.OSFile(str(path), "wb") as sink, kind(sink, table.schema) as writer:
        writer.write_table(table)
    return path


def pairs(*names):
    """The paper's columns of "drug in line" texts."""
    halves = [name.rpartition(" in ") for name in names]
    return {"cell_type": [line for *_, line in halves], "molecule": [drug for drug, *_ in halves]}


def everywhere(drugs, lines=LINES):
    """Pairs of these drugs in these lines."""
    return pairs(*(f"{drug} in {line}" for drug in drugs for line in lines))


def named(store, mask):
    """The conditions of a mask, in words."""
    return {str(store.condition(int(row))) for row in np.flatnonzero(mask)}


# -- written and read again -------------------------------------------------------------------


@pytest.mark.parametrize("regime", Regime)
@pytest.mark.parametrize("name", ["split.arrow", "split.v1"], ids=["file", "folder"])
def test_what_is_written_is_read_again(toy, tmp_path, regime, name):
    """Masks, regime and number come back; the file says them itself."""
    fold = make_folds(toy, regime, 3)[1]
    write_split(toy, fold, tmp_path / "new" / name)
    again = read_split(toy, tmp_path / "new" / name)
    assert (again.regime, again.number, again.notes) == (regime, 1, ())
    for part in ("train", "validation", "test"):
        np.testing.assert_array_equal(getattr(again, part), getattr(fold, part))
    assert again.provenance["named"] == len(toy.conditions)
    assert len(again.provenance["sha256"]) == 64


def test_written_files_have_the_papers_columns(toy, tmp_path):
    """cell_type and molecule, and the dose, which the paper pools."""
    write_split(toy, make_folds(toy, "unseen_drug")[0], tmp_path / "split")
    names = ("train", "val", "test")
    tables = [pa.ipc.open_file(tmp_path / "split" / f"{name}.arrow").read_all() for name in names]
    assert [table.column_names for table in tables] == [["cell_type", "molecule", "dose_um"]] * 3
    assert sum(table.num_rows for table in tables) == len(toy.conditions)


# -- the paper's form -------------------------------------------------------------------------


def test_the_papers_folder_loads(toy, tmp_path):
    """Pairs without a dose mean every dose; names are read by their closest form."""
    arrow(tmp_path / "train.arrow", everywhere(["Cobimetinib", "Topotecan", "mystery COMPOUND"]))
    arrow(tmp_path / "val.arrow", everywhere(["tofacitinib", "Tofacitinib citrate"]))
    lines = ["a549", "HepG2-C3A", "LoVo"]
    arrow(tmp_path / "test.arrow", everywhere(["GSK1120212", "Vorinostat "], lines))
    fold = read_split(toy, tmp_path, Regime.UNSEEN_DRUG)
    drug = toy.conditions["drug"]
    np.testing.assert_array_equal(fold.test, drug.isin(["Trametinib", "Vorinostat"]))
    np.testing.assert_array_equal(fold.validation, drug.str.startswith("Tofacitinib"))
    assert fold.fitted.sum() == 9
    assert fold.notes == ()


def test_one_file_with_a_split_column_and_dictionaries(toy, tmp_path):
    """Categories and long parts' names, as pandas and Feather write them."""
    rows = [
        (line, drug, "test" if line == "LoVo" else "validation" if line == "A549" else "TRAIN")
        for line in LINES
        for drug in DRUGS
    ]
    frame = pd.DataFrame(rows, columns=["cell_type", "molecule", "split"], dtype="category")
    arrow(tmp_path / "all.arrow", pa.Table.from_pandas(frame))
    fold = read_split(toy, tmp_path / "all.arrow", "unseen_cell_line")
    line = toy.conditions["cell_line"]
    np.testing.assert_array_equal(fold.test, line == "LoVo")
    np.testing.assert_array_equal(fold.validation, line == "A549")


def test_streams_in_folders_as_data_sets_are_saved(toy, tmp_path):
    """``test/data-00000-of-00002.arrow`` and its brothers are one part."""
    drugs = sorted(DRUGS)
    arrow(tmp_path / "train" / "data-00000-of-00001.arrow", everywhere(drugs, LINES[:2]))
    arrow(tmp_path / "test" / "data-00000-of-00002.arrow", everywhere(drugs[:3], LINES[2:]))
    arrow(
        tmp_path / "test" / "data-00001-of-00002.arrow",
        everywhere(drugs[3:], LINES[2:]),
        stream=True,
    )
    fold = read_split(toy, tmp_path, "unseen_cell_line_strict")
    assert (fold.train.sum(), fold.test.sum()) == (16, 7)


def test_a_dose_picks_one_condition(toy, tmp_path):
    """As a number in a column, or inside Tahoe's literal of drug and dose."""
    train = everywhere(["Cobimetinib"]) | {"dose": [5, 5, 5]}
    arrow(tmp_path / "train.arrow", train)
    test = pairs("Vorinostat in A549", "[('Trametinib', 500.0, 'nM')] in A549")
    arrow(tmp_path / "test.arrow", test | {"dose": [0.5, None]})
    fold = read_split(toy, tmp_path, "open_world")
    assert named(toy, fold.test) == {
        "Vorinostat in A549 at 0.5 uM",
        "Trametinib in A549 at 0.5 uM",
    }
    assert "Conditions that are neither read nor tested: 18." in fold.notes


def test_a_dose_finds_what_is_pooled_over_doses(toy):
    """An atlas without doses has one condition for all of them."""
    rows = toy.conditions.drop_duplicates(["cell_line", "drug"], ignore_index=True)
    pooled = SimpleNamespace(
        conditions=rows.assign(dose_um=np.nan),
        drug_catalog=toy.drug_catalog,
        cell_line_catalog=toy.cell_line_catalog,
        provenance={},
    )
    asked = pd.DataFrame({"cell_line": ["LoVo"], "drug": ["[('Vorinostat', 0.05, 'uM')]"]})
    assert SplitMasks(pooled).add_pairs("test", asked).sum() == 1


def test_without_training_pairs_all_that_shares_no_unit_is_training(toy, tmp_path):
    """A list of test pairs alone: the regime says what else must go."""
    arrow(tmp_path / "test.arrow", pairs("Tofacitinib in A549"))
    sizes = {regime: read_split(toy, tmp_path, regime).train.sum() for regime in Regime}
    assert sizes == {
        Regime.UNSEEN_DRUG: 23 - 6,
        Regime.UNSEEN_CELL_LINE: 14,
        Regime.UNSEEN_CELL_LINE_STRICT: 14,
        Regime.OPEN_WORLD: 21,
    }
    assert "No training pairs" in read_split(toy, tmp_path, "open_world").notes[0]


# -- what is missing or overlaps --------------------------------------------------------------


def test_pairs_outside_the_atlas_are_counted_by_part_and_named(toy, tmp_path, caplog):
    """Unknown lines, drugs and doses, and vehicle, which is no condition; repeated pairs once."""
    train = everywhere(["Cobimetinib"]) | {"dose_um": [5.0, 0.05, 5.0]}
    arrow(tmp_path / "train.arrow", train)
    test = pairs("Vorinostat in LoVo", "Aspirin in LoVo", "Vorinostat in H1573", "DMSO in LoVo")
    twice = pa.concat_tables([pa.table(test)] * 2)
    arrow(tmp_path / "test.arrow", twice)
    with caplog.at_level(logging.WARNING):
        fold = read_split(toy, tmp_path, "open_world")
    assert fold.notes[:3] == (
        "Pairs of train that are not in the atlas: 1, e.g. Cobimetinib in HepG2/C3A.",
        "Pairs of test that are not in the atlas: 2, e.g. Aspirin in LoVo; Vorinostat in H1573.",
        "Pairs that are vehicle, passed over: 1.",
    )
    counts = {"named": 7, "vehicles": 1, "not_in_atlas": {"train": 1, "val": 0, "test": 2}}
    assert fold.provenance.items() >= counts.items()
    assert "Aspirin in LoVo" in caplog.text


def test_a_split_of_another_atlas_is_refused(toy, tmp_path):
    """No test pair found is no benchmark."""
    arrow(tmp_path / "test.arrow", pairs("Aspirin in LoVo"))
    with pytest.raises(NotFoundError, match="none of its test pairs"):
        read_split(toy, tmp_path, "open_world")


@pytest.mark.parametrize(
    ("regime", "train", "test", "named_pair"),
    [
        ("open_world", "Tofacitinib (citrate) in A549", "Tofacitinib in A549", "citrate.*trained"),
        ("open_world", "Vorinostat in A549", "Vorinostat in A549", "Vorinostat in A549 at 0.5 uM"),
        ("unseen_drug", "Vorinostat in LoVo", "Vorinostat in A549", r"LoVo at 5 uM \(trained\)"),
        ("unseen_cell_line", "Vorinostat in A549", "Trametinib in A549", "share cell lines"),
    ],
    ids=["twin", "itself", "another line", "the same line"],
)
def test_a_unit_on_both_sides_is_refused_by_name(toy, tmp_path, regime, train, test, named_pair):
    """Leakage across the boundary: both conditions stand in the message."""
    arrow(tmp_path / "train.arrow", pairs(train, "Mystery compound in HepG2/C3A"))
    arrow(tmp_path / "test.arrow", pairs(test))
    with pytest.raises(InputError, match=named_pair):
        read_split(toy, tmp_path, regime)
    fold = read_split(toy, tmp_path, regime, drop_overlap=True)
    assert named(toy, fold.train) == {"Mystery compound in HepG2/C3A at 5 uM"}
    assert "Training conditions left out" in " ".join(fold.notes)


def test_another_dose_of_a_tested_pair_is_refused(toy, tmp_path):
    """The held-out unit spans doses."""
    trained = pairs("Trametinib in A549", "Cobimetinib in LoVo")
    arrow(tmp_path / "train.arrow", trained | {"dose_um": [0.5, 5.0]})
    arrow(tmp_path / "test.arrow", pairs("Trametinib in A549") | {"dose_um": [5.0]})
    with pytest.raises(InputError, match=r"at 0.5 uM \(trained\) and Trametinib in A549 at 5 uM"):
        read_split(toy, tmp_path, "open_world")


def test_validation_gives_way_to_test_and_to_fitted_units(toy, tmp_path):
    """State lets validation and test overlap; each move is noted."""
    arrow(tmp_path / "train.arrow", pairs("Tofacitinib in A549", "Cobimetinib in A549"))
    val = pairs("Vorinostat in LoVo", "Tofacitinib (citrate) in A549", "Topotecan in LoVo")
    arrow(tmp_path / "val.arrow", val)
    arrow(tmp_path / "test.arrow", pairs("Vorinostat in LoVo"))
    fold = read_split(toy, tmp_path, "open_world")
    assert named(toy, fold.validation) == {"Topotecan (hydrochloride) in LoVo at 5 uM"}
    assert "Tofacitinib (citrate) in A549 at 5 uM" in named(toy, fold.fitted)
    assert fold.notes[0] == "Validation conditions that are tested too, and count as tested: 1."
    assert fold.notes[1].startswith("Validation conditions that share (cell line, parent compound)")
    assert fold.notes[1].endswith("with fitted ones, and count as fitted: 1.")


def test_a_file_without_a_regime_needs_one(toy, tmp_path):
    """The paper's files do not say what is unseen."""
    arrow(tmp_path / "test.arrow", pairs("Vorinostat in LoVo"))
    with pytest.raises(UsageError, match="unseen_drug, unseen_cell_line"):
        read_split(toy, tmp_path)


@pytest.mark.parametrize(
    ("columns", "match"),
    [
        (
            {"cell_type": ["A549"], "split": ["test"]},
            "no column molecule or drug; found: cell_type",
        ),
        (pairs("Vorinostat in A549"), "no column 'split'"),
        (pairs("Vorinostat in A549") | {"split": ["holdout"]}, "holdout"),
        ({"cell_type": ["A549"], "molecule": [None], "split": ["test"]}, "empty in 1 rows"),
        (
            pairs("Vorinostat in A549") | {"split": ["test"], "dose": ["high"]},
            "could not convert.*Give doses in uM",
        ),
    ],
    ids=["no drug", "no split", "strange part", "empty", "dose in words"],
)
def test_a_file_that_says_too_little_is_refused(toy, tmp_path, columns, match):
    """What was found and what to write instead."""
    file = arrow(tmp_path / "split.arrow", columns)
    with pytest.raises(InputError, match=match):
        read_split(toy, file, "open_world")


def test_what_is_no_split_is_refused(toy, tmp_path):
    """No folder, no test part, no Arrow."""
    with pytest.raises(InputError, match=r"no test\.arrow"):
        read_split(toy, tmp_path, "open_world")
    with pytest.raises(InputError, match="no Arrow file"):
        read_split(toy, tmp_path / "gone.arrow", "open_world")
    (tmp_path / "text.arrow").write_text("cell_type,molecule\n")
    with pytest.raises(InputError, match="no Arrow file"):
        read_split(toy, tmp_path / "text.arrow", "open_world")


# -- State's TOML -----------------------------------------------------------------------------

FEWSHOT = """
[datasets]
toy = "/data/toy"
[training]
toy = "train"
[zeroshot]
"toy.A549" = "val"
[fewshot]
[fewshot."toy.lovo"]
val = ["[('Cobimetinib', 5.0, 'uM')]"]
test = ["[('Trametinib', 5.0, 'uM')]", "[('Tofacitinib', 5.0, 'uM')]", "Tofacitinib (citrate)"]
"""


def toml(folder, text):
    """Write a TOML file."""
    path = folder / "split.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_states_lines_and_lists_are_read(toy, tmp_path):
    """Some drugs of LoVo are tested, the rest of it and the other line are training."""
    fold = read_split(toy, toml(tmp_path, FEWSHOT), "open_world")
    assert named(toy, fold.test) == {
        "Trametinib in LoVo at 5 uM",
        "Tofacitinib in LoVo at 5 uM",
        "Tofacitinib (citrate) in LoVo at 5 uM",
    }
    line = toy.conditions["cell_line"]
    assert fold.validation.sum() == (line == "A549").sum() + 1
    assert fold.fitted.sum() == (line == "HepG2/C3A").sum() + 7 - 4
    assert fold.notes == ()


def test_a_published_split_of_literals_is_read(toy, tmp_path):
    """Lines by Cellosaurus id, escaped letters, an empty table; what the atlas lacks is counted."""
    literals = ["[('Trametinib', 5.0, 'uM')]", "[('18\\u03b2-Glycyrrhetinic acid', 0.05, 'uM')]"]
    text = '[datasets]\ntoy = "/data"\n[training]\ntoy = "train"\n[zeroshot]\n[fewshot]\n'
    text += f'[fewshot."toy.CVCL_0023"]\ntest = ["{literals[0]}", "{literals[1]}"]\n'
    fold = read_split(toy, toml(tmp_path, text), "open_world", drop_overlap=True)
    assert named(toy, fold.test) == {"Trametinib in A549 at 5 uM"}
    assert fold.provenance["not_in_atlas"]["test"] == 1
    assert any("18β-Glycyrrhetinic acid" in note for note in fold.notes)


def test_a_line_of_zeroshot_is_unseen(toy, tmp_path):
    """All other lines of the training data set are training; a line elsewhere is counted."""
    text = '[training]\ntoy = "train"\n[zeroshot]\n"toy.LoVo" = "test"\n"toy.Jurkat" = "val"\n'
    fold = read_split(toy, toml(tmp_path, text), "unseen_cell_line")
    np.testing.assert_array_equal(fold.test, toy.conditions["cell_line"] == "LoVo")
    np.testing.assert_array_equal(fold.train, ~fold.test)
    assert fold.notes == ("Pairs of val that are not in the atlas: 1, e.g. cell line Jurkat.",)


def test_states_split_by_dose_or_form_is_refused(toy, tmp_path):
    """Of two forms of one compound, State trains on one and tests the other."""
    text = '[fewshot."toy.A549"]\ntest = ["Tofacitinib", "[(\'Trametinib\', 5.0, \'uM\')]"]\n'
    with pytest.raises(InputError, match="2 training conditions share") as caught:
        read_split(toy, toml(tmp_path, text), "open_world")
    assert "Tofacitinib (citrate) in A549 at 5 uM (trained)" in str(caught.value)
    assert "Trametinib in A549 at 0.5 uM (trained)" in str(caught.value)
    fold = read_split(toy, toml(tmp_path, text), "open_world", drop_overlap=True)
    assert fold.train.sum() == 9 - 4


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ('[zeroshot]\ntoy.LoVo = "test"\n', "another form"),
        ('[zeroshot]\n"LoVo" = "test"\n', "names no data set"),
        ('[fewshot."toy.LoVo"]\ntest = "Trametinib"\n', "another form"),
        ('[zeroshot]\n"a.LoVo" = "test"\n"b.lovo" = "val"\n', "named before"),
        ('[zeroshot]\n"a.LoVo" = "held"\n', "'held'"),
        ("[model]\n", "another form"),
        ("zeroshot = \n", "cannot be read"),
        ('training = "x"\n[zeroshot]\n"toy.LoVo" = "test"\n', "another form"),
        ('[training]\ntoy = ["train"]\n[zeroshot]\n"toy.LoVo" = "test"\n', "another form"),
        ('zeroshot = "toy.LoVo"\n', "another form"),
        ('fewshot = [1]\n[zeroshot]\n"toy.LoVo" = "test"\n', "another form"),
        ('[fewshot."toy.LoVo"]\ntest = [1, 2]\n', "another form"),
        ('[fewshot]\n"toy.LoVo" = "test"\n', "another form"),
    ],
    ids=[
        *("bare key", "no data set", "no list", "twice", "strange part", "no split", "no TOML"),
        *("no training table", "no training text", "no zeroshot table", "no fewshot table"),
        *("no names", "no fewshot line"),
    ],
)
def test_a_toml_of_another_form_is_refused(toy, tmp_path, text, match):
    """With the form that is read."""
    with pytest.raises(InputError, match=match):
        read_split(toy, toml(tmp_path, text), "open_world")
