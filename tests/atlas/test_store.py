"""An atlas gives back what was stored, and refuses what it cannot read."""

import threading
from dataclasses import replace

import duckdb
import numpy as np
import pandas as pd
import pytest
from toy import DRUGS, GENES, LINES, build_toy, toy_delta, toy_table

from lgr_core.atlas.build import build_atlas
from lgr_core.atlas.store import AtlasStore, atlas_names, open_atlas
from lgr_core.domain import Condition
from lgr_core.errors import InputError, NotFoundError, SchemaError, UsageError

PANEL = [1, 2, 3, 4, 5, 6]


def test_every_delta_comes_back(toy):
    """Each condition's panel is what was put in, in the panel's order."""
    for row in range(len(toy.conditions)):
        c = toy.condition(row)
        expected = toy_delta(c.cell_line, c.drug, c.dose_um)[PANEL]
        np.testing.assert_array_equal(toy.deltas(np.array([row]))[0], expected.astype(np.float32))


def test_the_panel_comes_first_and_all_genes_are_kept(toy):
    """Columns are panel genes in their order, then the others."""
    assert toy.n_panel == 6
    assert toy.gene_names.tolist() == [*(GENES[i] for i in PANEL), "DUSP6", "ACTB"]
    row = toy.rows("A549", ["Vorinostat"], 5.0)
    expected = toy_delta("A549", "Vorinostat", 5.0)[[*PANEL, 0, 7]]
    np.testing.assert_array_equal(toy.deltas(row, all_genes=True)[0], expected)


def test_rows_are_sorted_by_line_dose_drug(toy):
    """A line at a dose is one contiguous run."""
    keys = [
        (c.cell_line, c.dose_um, c.drug) for c in map(toy.condition, range(len(toy.conditions)))
    ]
    assert keys == sorted(keys)


def test_rows_come_in_the_order_asked(toy):
    """Names, not storage, decide the order."""
    rows = toy.rows("LoVo", ["Vorinostat", "Cobimetinib"], 5.0)
    assert [toy.condition(r).drug for r in rows] == ["Vorinostat", "Cobimetinib"]


def test_an_unmeasured_drug_names_the_nearest(toy):
    """The dose restricts what is there."""
    with pytest.raises(NotFoundError, match="A549 at 0.5 uM"):
        toy.rows("A549", ["Cobimetinib"], 0.5)


def test_an_unmeasured_dose_lists_the_measured(toy):
    """The message says which doses there are."""
    with pytest.raises(NotFoundError, match="measured there: 5, 0.5"):
        toy.measured_drugs("A549", 1.0)


def test_an_unknown_line_is_named(toy):
    """So is a line that is not there."""
    with pytest.raises(NotFoundError, match="cell line 'A54'"):
        toy.measured_drugs("A54", 5.0)


def test_doses_are_listed_highest_first(toy):
    """Per line, and per drug in a line."""
    assert toy.doses("A549") == (5.0, 0.5)
    assert toy.doses("A549", "Cobimetinib") == (5.0,)
    assert toy.doses("LoVo", "no such drug") == ()


def test_one_gene_over_all_conditions(toy):
    """A gene's column matches the rows."""
    column = toy.gene("ACTB")
    everything = toy.deltas(np.arange(len(toy.conditions)), all_genes=True)
    np.testing.assert_array_equal(column, everything[:, 7])
    with pytest.raises(NotFoundError, match="gene 'ACTG'"):
        toy.gene("ACTG")


def test_plates_and_controls_follow_the_reordering(toy):
    """A plate row points at its condition, and its delta (twice the mean in the toy) goes along."""
    assert len(toy.plates) == len(toy.conditions)
    rows = toy.plates["condition"].to_numpy()
    expected = 2 * toy.deltas(rows, all_genes=True)
    np.testing.assert_allclose(toy.plate_deltas, expected, rtol=1e-6)
    assert toy.controls["cell_line"].tolist() == list(LINES)
    np.testing.assert_array_equal(toy.control_profiles[0], [1, 2, 3, 4, 5, 6, 0, 7])


def test_twins_share_a_parent_and_fingerprints_stand_beside_drugs(toy):
    """Tofacitinib and its citrate are one compound; who has no structure has no bits."""
    assert toy.drug_catalog.twins("Tofacitinib") == ("Tofacitinib (citrate)",)
    place = toy.drugs["drug"].tolist().index("Mystery compound")
    assert toy.fingerprints.shape == (len(DRUGS), 2048)
    assert toy.fingerprints[place].sum() == 0
    assert (np.delete(toy.fingerprints, place, axis=0).sum(axis=1) > 0).all()


def test_rows_have_the_parents_that_pools_go_by(tmp_path):
    """Names that read as one drug share a held-out unit, though an older build kept them apart."""
    table = toy_table()
    names = dict(zip(DRUGS, ["BMX-123", "BMX123", "Foolinib (BMX-123)", *"abcd"], strict=True))
    drugs = list(names.values())
    build_atlas(
        replace(table, conditions=table.conditions.replace({"drug": names})),
        tmp_path / "old",
        drugs=pd.DataFrame({"drug": drugs, "parent": drugs}),
        cell_lines=pd.DataFrame({"cell_line": LINES}),
        fingerprints=np.zeros((len(drugs), 1), dtype=np.uint8),
    )
    atlas = open_atlas("old", tmp_path)
    of_rows = dict(zip(atlas.conditions["drug"], atlas.parent_of_row, strict=True))
    assert of_rows == {drug: atlas.drug_catalog.parent(drug) for drug in drugs}
    assert len({of_rows[drug] for drug in drugs[:3]}) == 1
    assert len(set(of_rows.values())) == 5


def test_lines_resolve_by_id(toy):
    """The shipped annotation brings the ids."""
    assert toy.cell_line_catalog.resolve("CVCL_0023") == "A549"
    assert toy.cell_line_catalog.resolve("hepg2c3a") == "HepG2/C3A"


def test_info_is_complete(toy):
    """The keys that scripts rely on."""
    info = toy.info()
    assert info["value_kind"] == "lognorm_delta"
    assert (info["n_conditions"], info["n_genes"], info["n_panel"]) == (23, 8, 6)
    assert (info["cell_lines"], info["drugs"]) == (list(LINES), sorted(DRUGS))
    assert info["doses_um"] == [0.5, 5.0]
    assert info["simulated"] is False
    assert info["provenance"]["normalisation"] == "toy"


def test_an_existing_atlas_is_not_replaced_unasked(tmp_path):
    """Without overwrite the old atlas stays as it was; with it the new one takes its place."""
    build_toy(tmp_path / "toy")
    first = open_atlas("toy", tmp_path).build_id
    with pytest.raises(InputError, match="exists already"):
        build_toy(tmp_path / "toy")
    assert open_atlas("toy", tmp_path).build_id == first
    build_toy(tmp_path / "toy", overwrite=True, simulated=True)
    assert open_atlas("toy", tmp_path).simulated
    assert [p.name for p in tmp_path.iterdir() if p.is_dir()] == ["toy"]


def test_a_failed_swap_puts_the_old_atlas_back(tmp_path, monkeypatch):
    """If the finished folder cannot be renamed into place, the old one returns."""
    build_toy(tmp_path / "toy")
    first = open_atlas("toy", tmp_path).build_id
    rename = type(tmp_path).rename

    def refuse(self, target):
        if self.name.startswith(".building"):
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(type(tmp_path), "rename", refuse)
    with pytest.raises(OSError, match="Input/output"):
        build_toy(tmp_path / "toy", overwrite=True)
    assert open_atlas("toy", tmp_path).build_id == first


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "../x", "x" * 65, "name with space"])
def test_names_that_cannot_be_folders_are_refused(tmp_path, name):
    """No path tricks through an atlas name."""
    with pytest.raises((UsageError, NotFoundError)):
        open_atlas(name, tmp_path)
    with pytest.raises(UsageError, match="1 to 64"):
        build_toy(tmp_path / "sub" / ("." + name.replace("/", "") if name else "-"))


def test_another_schema_version_is_refused_with_the_way_out(tmp_path):
    """The message holds the command that rebuilds it."""
    build_toy(tmp_path / "toy")
    with duckdb.connect(str(tmp_path / "toy" / "index.duckdb")) as connection:
        connection.execute("UPDATE meta SET value = '99' WHERE key = 'schema_version'")
    with pytest.raises(SchemaError, match="lgr ingest PATH --name toy --overwrite"):
        open_atlas("toy", tmp_path)


def test_a_damaged_atlas_is_one_clear_error(tmp_path):
    """A cut matrix, a missing one, and an index that is no database."""
    folder = build_toy(tmp_path / "toy")
    (folder / "deltas.npy").write_bytes((folder / "deltas.npy").read_bytes()[:200])
    with pytest.raises(InputError, match=r"toy/deltas\.npy"):
        open_atlas("toy", tmp_path)
    (folder / "deltas.npy").unlink()
    with pytest.raises(InputError, match=r"toy/deltas\.npy"):
        open_atlas("toy", tmp_path)
    (folder / "index.duckdb").write_text("not a database")
    with pytest.raises(InputError, match="index of atlas 'toy'"):
        open_atlas("toy", tmp_path)


def test_an_unknown_atlas_offers_what_there_is(toy_home, tmp_path):
    """Near names, or the command that builds the first."""
    with pytest.raises(NotFoundError, match="Nearest: toy"):
        open_atlas("toyy", toy_home / "atlases")
    with pytest.raises(NotFoundError, match="lgr demo"):
        open_atlas("demo", tmp_path / "nothing")
    assert atlas_names(tmp_path / "nothing") == []


def test_many_threads_read_one_store(toy):
    """Eight threads see the same right rows."""
    wrong = []

    def read():
        for _ in range(50):
            for line in LINES:
                got = toy.deltas(toy.rows(line, ["Vorinostat"], 5.0))[0]
                if not np.array_equal(got, toy_delta(line, "Vorinostat", 5.0)[PANEL]):
                    wrong.append(line)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_the_store_cannot_be_written_through(toy):
    """The map is read-only: no caller can spoil another's data."""
    with pytest.raises(ValueError, match="read-only"):
        toy._deltas[0, 0] = 1.0
    assert toy.row(Condition("A549", "Cobimetinib", 0.5)) is None
    assert isinstance(toy, AtlasStore)
