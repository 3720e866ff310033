"""Other names of a drug."""

import csv

import pytest

from lgr_core.config import SHIPPED
from lgr_core.drugs.aliases import AliasTable, load_aliases, shipped_aliases
from lgr_core.errors import InputError


def _table(folder, *rows):
    path = folder / "aliases.csv"
    path.write_text("\n".join(["alias,drug,source", *rows]) + "\n", encoding="utf-8")
    return path


def test_a_table_is_read(tmp_path):
    """Cells are trimmed, quoted commas survive."""
    path = _table(tmp_path, "Mekinist , Trametinib,brand", '"CP-690,550",Tofacitinib,code')
    assert load_aliases(path) == {"Mekinist": "Trametinib", "CP-690,550": "Tofacitinib"}


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        (["Mekinist,,brand"], "line 2 has an empty cell"),
        (["Mekinist,Trametinib"], "line 2 has an empty cell"),
        (["Mito,Mitomycin,x", "Mito,Mitoxantrone,x"], "both Mitomycin and Mitoxantrone"),
        (["GSK-1,Trametinib,x", "gsk 1,Dabrafenib,x"], "stands for both trametinib and Dabrafenib"),
        (["A1,B1,x", "B1,C1,x"], "'B1', which is an alias itself"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused(tmp_path, rows, match):
    """Gaps, double meanings (in any spelling) and chains are named, not guessed at."""
    with pytest.raises(InputError, match=match):
        load_aliases(_table(tmp_path, *rows))


def test_a_missing_table_is_an_input_error(tmp_path):
    """The operating system's complaint is translated."""
    with pytest.raises(InputError, match=r"none\.csv.*No such file"):
        load_aliases(tmp_path / "none.csv")


def test_names_of_one_drug_share_a_sense():
    """Form, hyphens, case and aliases lead to one key; the bracket at the end is apart."""
    book = AliasTable({"GSK1120212": "Trametinib"})
    assert book.meaning("gsk-1120212") == book.meaning("Trametinib (DMSO solvate)") == "trametinib"
    assert book.meaning("Cerdulatinib (PRT062070, PRT2070)") == "cerdulatinib"
    inside = book.meanings_in_brackets("Cerdulatinib (PRT062070, PRT-2070)")
    assert inside == {"prt062070", "prt2070"}


def test_the_shipped_table_holds_up():
    """It reads without a double meaning, names its sources and leaves doubtful ones out."""
    with (SHIPPED / "aliases.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) > 500
    assert {row["source"].split(":")[0] for row in rows} == {"common knowledge"}
    assert len({row["alias"] for row in rows}) == len(rows)
    assert "Mito" not in {row["alias"] for row in rows}
    book = shipped_aliases()
    for alias, drug in [
        ("Mekinist", "Trametinib"),
        ("PS-341", "Bortezomib"),
        ("CP-690,550", "Tofacitinib"),
        ("SAHA", "Vorinostat"),
        ("Stauro", "Staurosporine"),
    ]:
        assert book.meaning(alias) == book.meaning(drug)


@pytest.mark.real
def test_no_alias_joins_two_real_compounds(real_data):
    """Names of one atlas that share a sense are forms of one base name."""
    for path in sorted(real_data.glob("*/drug*.csv")):
        with path.open(encoding="utf-8", newline="") as lines:
            names = {row["drug"].strip() for row in csv.DictReader(lines)}
        plain = AliasTable({})
        for name in names:
            same = {
                n for n in names if shipped_aliases().meaning(n) == shipped_aliases().meaning(name)
            }
            assert len({plain.meaning(n) for n in same}) == 1, same
