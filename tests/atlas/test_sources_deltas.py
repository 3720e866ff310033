"""Ready deltas from h5ad, parquet and text."""

from dataclasses import fields

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from lgr_core.atlas.count_source import ReadOptions
from lgr_core.atlas.sources import read_deltas
from lgr_core.domain import ValueKind
from lgr_core.errors import InputError
from tests.support.count_files import write_h5ad

OBS = {
    "cell_line": ["K562", "A549", "A549", "697"],
    "drug": ["Talc", "Zinc", "Talc", "NA"],
    "dose": [5.0, 5.0, 0.5, 5.0],
    "dose_unit": "uM",
    "n_cells": [30, 5, 40, 50],
}
DELTAS = np.array([[1, 0, -1], [2, 0, 3], [0.5, 0.25, 0], [4, 0, 0]], dtype=np.float32)
IN_ORDER = [3, 2, 1, 0]  # by line, dose and drug


CHOICES = {field.name for field in fields(ReadOptions)}


def read(path, **options):
    """Read as log-normalised deltas."""
    choices = ReadOptions(**{name: options.pop(name) for name in CHOICES & options.keys()})
    return read_deltas(path, value_kind=ValueKind.LOGNORM_DELTA, choices=choices, **options)


def table_of(obs=OBS, deltas=DELTAS):
    """Metadata and genes side by side."""
    return pd.DataFrame(obs).join(pd.DataFrame(deltas, columns=["TP53", "MYC", "NA"]))


@pytest.fixture(params=["h5ad", "sparse.h5ad", "parquet", "csv", "tsv", "csv.gz"])
def path(request, tmp_path):
    """The same deltas in every format."""
    path = tmp_path / f"deltas.{request.param}"
    var = pd.DataFrame(index=["TP53", "MYC", "NA"])
    if request.param == "h5ad":
        return write_h5ad(path, DELTAS, OBS, var)
    if request.param == "sparse.h5ad":
        return write_h5ad(path, sparse.csr_matrix(DELTAS), OBS, var)
    if request.param == "parquet":
        table_of().to_parquet(path)
    else:
        table_of().to_csv(path, sep="\t" if request.param == "tsv" else ",", index=False)
    return path


def test_every_format_gives_the_same_table(path):
    """Conditions sorted by line, dose and drug; NA and 697 are names; genes keep their order."""
    table = read(path)
    assert table.conditions["cell_line"].tolist() == ["697", "A549", "A549", "K562"]
    assert table.conditions["drug"].tolist() == ["NA", "Talc", "Zinc", "Talc"]
    assert table.conditions["dose_um"].tolist() == [5.0, 0.5, 5.0, 5.0]
    assert table.conditions["n_cells"].tolist() == [50, 40, 5, 30]
    assert table.conditions["underpowered"].tolist() == [False, False, True, False]
    assert table.genes["gene"].tolist() == ["TP53", "MYC", "NA"]
    assert table.deltas.dtype == np.float32
    np.testing.assert_array_equal(table.deltas, DELTAS[IN_ORDER])
    assert table.value_kind is ValueKind.LOGNORM_DELTA
    assert len(table.plates) == 0
    assert table.plate_deltas is None


def test_replicates_are_averaged_by_cells_and_kept(tmp_path):
    """(1 * 30 + 3 * 10) / 40 = 1.5; the single rows stand in plates."""
    obs = {"cell_line": "A549", "drug": ["Talc"] * 2 + ["Zinc"], "n_cells": [30, 10, 7]}
    table = read(write_h5ad(tmp_path / "x.h5ad", [[1, 0], [3, 4], [9, 9]], obs))
    np.testing.assert_array_equal(table.deltas, [[1.5, 1.0], [9, 9]])
    assert table.conditions["n_cells"].tolist() == [40, 7]
    assert table.conditions["n_replicates"].tolist() == [2, 1]
    assert table.plates["condition"].tolist() == [0, 0, 1]
    assert table.plates["plate"].tolist() == ["", "", ""]  # no plate is known
    assert set(table.plates["control"]) == {"publisher"}
    np.testing.assert_array_equal(table.plate_deltas, [[1, 0], [3, 4], [9, 9]])
    assert table.provenance["replicates_averaged"] == 1
    assert table.provenance["plates_averaged"] == 0


def test_replicates_of_unknown_size_count_the_same(tmp_path):
    """One unknown number of cells makes the average an equal one, and the sum unknown."""
    obs = {"cell_line": "A549", "drug": ["Talc"] * 2, "n_cells": [30, -1], "n_replicates": [2, -1]}
    table = read(write_h5ad(tmp_path / "x.h5ad", [[1.0], [3.0]], obs))
    assert table.deltas.tolist() == [[2.0]]
    assert table.conditions[["n_cells", "n_replicates"]].isna().all(axis=None)
    assert not table.conditions["underpowered"].any()


def test_controls_are_left_out_and_counted(tmp_path):
    """Vehicle rows among deltas are no conditions; the solvate is."""
    obs = {
        "cell_line": "A549",
        "drug": ["DMSO_TF", "Trametinib (DMSO_TF solvate)", "PBS"],
        "is_control": [False, False, True],
    }
    table = read(write_h5ad(tmp_path / "x.h5ad", [[0.0], [2.0], [0.0]], obs))
    assert table.conditions["drug"].tolist() == ["Trametinib (DMSO_TF solvate)"]
    assert table.provenance["control_rows_left_out"] == {"DMSO_TF": 1, "PBS": 1}


def test_only_controls_is_an_error(tmp_path):
    """Nothing would be left."""
    path = write_h5ad(tmp_path / "x.h5ad", [[0.0]], {"cell_line": ["A"], "drug": ["DMSO"]})
    with pytest.raises(InputError, match=r"all 1 rows are controls \(DMSO\)"):
        read(path)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused_with_their_place(tmp_path, bad):
    """Row and gene are named, and how many rows are affected."""
    deltas = DELTAS.copy()
    deltas[1, 2] = bad
    path = write_h5ad(tmp_path / "x.h5ad", deltas, OBS)
    with pytest.raises(InputError, match=r"in row 'row1', gene 'G2'; rows affected: 1"):
        read(path)


def test_opposite_infinities_do_not_hide_each_other(tmp_path):
    """Their sum is NaN, which is refused as well."""
    path = write_h5ad(tmp_path / "x.h5ad", [[np.inf, -np.inf, 0]] * 4, OBS)
    with pytest.raises(InputError, match="inf in row"):
        read(path)


def test_a_hole_in_a_text_table_is_no_metadata(tmp_path):
    """A gene with a missing value must not vanish as a column of text."""
    table = table_of().astype({"MYC": object})
    table.loc[2, "MYC"] = "NA"
    table.to_csv(tmp_path / "x.csv", index=False)
    with pytest.raises(InputError, match="column 'MYC' holds numbers, but 'NA' in row 3"):
        read(tmp_path / "x.csv")


def test_a_table_without_genes_is_refused(tmp_path):
    """The columns found are named."""
    pd.DataFrame(OBS).to_csv(tmp_path / "x.csv", index=False)
    with pytest.raises(InputError, match="no numeric column in it is a gene; columns: cell_line"):
        read(tmp_path / "x.csv")


def test_numeric_metadata_is_no_gene(tmp_path):
    """An index, a time and a replicate number are not expression; what was left out is recorded."""
    table = table_of().assign(time=24, replicate=1, note="x")
    table.to_csv(tmp_path / "x.csv")
    read_back = read(tmp_path / "x.csv")
    assert read_back.genes["gene"].tolist() == ["TP53", "MYC", "NA"]
    assert {"time", "note"} < set(read_back.provenance["metadata_columns"])


def test_the_panel_of_the_file_is_believed(tmp_path):
    """``highly_variable`` goes before the variance over conditions."""
    var = pd.DataFrame({"highly_variable": [False, True, False]}, index=["A", "B", "C"])
    table = read(write_h5ad(tmp_path / "x.h5ad", DELTAS, OBS, var))
    assert table.genes["in_panel"].tolist() == [False, True, False]
    assert table.provenance["panel"] == "highly_variable of the file"


def test_else_the_panel_is_the_most_variable(tmp_path):
    """Variances over the four conditions: 1.73 and 2.25 beat 0.01."""
    path = write_h5ad(tmp_path / "x.h5ad", DELTAS, OBS)
    table = read(path, n_hvg=2)
    assert table.genes["in_panel"].tolist() == [True, False, True]
    np.testing.assert_allclose(table.genes["variability"], DELTAS.var(axis=0), rtol=1e-6)
    assert table.provenance["panel"] == "2 genes most variable over conditions"
    assert read(path).provenance["panel"] == "all 3 genes"


def test_layers_are_named(tmp_path):
    """OP3 keeps several statistics as layers and no X."""
    path = write_h5ad(tmp_path / "x.h5ad", None, OBS, layers={"logFC": DELTAS})
    with pytest.raises(InputError, match=r"layers found: logFC.*--layer"):
        read(path)
    np.testing.assert_array_equal(read(path, layer="logFC").deltas, DELTAS[IN_ORDER])
    with pytest.raises(InputError, match="layer 't'"):
        read(path, layer="t")


def test_pooled_doses(tmp_path):
    """pool: (1 * 90 + 3 * 10) / 100 = 1.2; max: 5 uM alone; both name the doses used."""
    obs = {
        "cell_line": "A",
        "drug": "T",
        "dose": [0.5, 5.0],
        "dose_unit": "uM",
        "n_cells": [90, 10],
    }
    path = write_h5ad(tmp_path / "x.h5ad", [[1.0], [3.0]], obs)
    pooled, highest = read(path, dose="pool"), read(path, dose="max")
    np.testing.assert_allclose(pooled.deltas, [[1.2]], rtol=1e-6)
    assert pooled.conditions["doses_um"].tolist() == ["0.5;5"]
    assert highest.deltas.tolist() == [[3.0]]
    assert highest.conditions["doses_um"].tolist() == ["5"]
    assert highest.provenance["rows_of_lower_doses_left_out"] == 1
    assert np.isnan([pooled.conditions["dose_um"][0], highest.conditions["dose_um"][0]]).all()


def test_pooled_doses_without_cells_weigh_the_same(tmp_path, caplog):
    """The mean of 1 and 3, warned of once with the number of conditions."""
    obs = {"cell_line": "A", "drug": "T", "dose": [0.5, 5.0], "dose_unit": "uM"}
    path = write_h5ad(tmp_path / "x.h5ad", [[1.0], [3.0]], obs)
    pooled = read(path, dose="pool")
    assert pooled.deltas.tolist() == [[2.0]]
    assert pooled.provenance["doses_averaged_equally"] == 1
    assert "equal weights in 1 condition" in caplog.text
    caplog.clear()
    assert "doses_averaged_equally" not in read(path).provenance
    assert caplog.text == ""


def test_a_folder_of_plates(tmp_path):
    """Rhaister's form: one file a plate, drug and dose in one text, plates named by the files."""
    drug = ["[('Talc', 5.0, 'uM')]", "[('DMSO_TF', 0.0, 'uM')]"]
    for name, value in [("plate6", 1.0), ("plate14", 3.0)]:
        frame = pd.DataFrame({"cell_line": "A549", "treatment": drug, "TP53": [value, 0.0]})
        frame.to_parquet(tmp_path / f"{name}.parquet")
    table = read(tmp_path)
    assert table.deltas.tolist() == [[2.0]]
    assert table.conditions[["drug", "dose_um"]].to_numpy().tolist() == [["Talc", 5.0]]
    assert table.plates["plate"].tolist() == ["plate14", "plate6"]
    assert table.plate_deltas.tolist() == [[3.0], [1.0]]
    assert table.provenance["control_rows_left_out"] == {"DMSO_TF": 2}


def test_a_folder_of_files_that_name_their_plates(tmp_path):
    """A plate column goes before the files' names."""
    for name, plate in [("a", "p1"), ("b", "p2")]:
        frame = pd.DataFrame({"cell_line": ["A"], "drug": ["T"], "plate_name": plate, "G": [1.0]})
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    assert read(tmp_path).plates["plate"].tolist() == ["p1", "p2"]


def _plate_file(path, value=1.0):
    frame = pd.DataFrame({"cell_line": ["A"], "drug": ["T"], "G": [value]})
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False)


def test_a_dot_in_the_name_of_a_plate_belongs_to_it(tmp_path):
    """Only the format's suffix comes off."""
    for value, name in enumerate(["screen.plate1.csv", "screen.plate2.csv.gz", "x.v1.parquet"]):
        _plate_file(tmp_path / name, float(value))
    table = read(tmp_path)
    assert table.plates["plate"].tolist() == ["screen.plate1", "screen.plate2", "x.v1"]
    assert table.plate_deltas.tolist() == [[0.0], [1.0], [2.0]]


def test_two_plates_of_one_name_are_refused(tmp_path):
    """Their rows would be one plate's."""
    _plate_file(tmp_path / "p1.csv")
    _plate_file(tmp_path / "p1.parquet")
    with pytest.raises(InputError, match=r"p1\.csv and p1\.parquet would both be plate 'p1'"):
        read(tmp_path)


def test_files_of_a_folder_must_agree_on_genes(tmp_path):
    """The file that differs is named."""
    for name, gene in [("a", "TP53"), ("b", "MYC")]:
        frame = pd.DataFrame({"cell_line": ["A"], "drug": ["T"], gene: [1.0]})
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    with pytest.raises(InputError, match=r"b\.csv: its genes differ from those of a\.csv"):
        read(tmp_path)


@pytest.mark.parametrize("name", ["x.h5ad", "x.parquet", "x.csv"])
def test_broken_files_are_refused(tmp_path, name):
    """The library's own error is translated."""
    (tmp_path / name).write_bytes(b"\xff\xfe\x00no such format\n1,2,3,4")
    with pytest.raises(InputError, match="x"):
        read(tmp_path / name)


def test_an_unknown_format_is_refused(tmp_path):
    """The formats are listed."""
    (tmp_path / "x.sav").write_text("x")
    with pytest.raises(InputError, match=r"unknown.*\.parquet"):
        read(tmp_path / "x.sav")


def test_an_empty_file_is_one_clear_error(tmp_path):
    """Not a traceback."""
    (tmp_path / "x.csv").write_text("")
    with pytest.raises(InputError, match="it cannot be read"):
        read(tmp_path / "x.csv")


def test_several_doses_under_any_header_stay_apart(tmp_path):
    """Brackets and both letters micro are read; the column is no gene."""
    for header in (
        "Dose (uM)",
        "dose_\N{MICRO SIGN}M",
        "Concentration [\N{GREEK SMALL LETTER MU}M]",
    ):
        frame = pd.DataFrame({"cell_line": "A549", "drug": "Talc", header: [0.1, 10.0]})
        frame.assign(G1=[1.0, -1.0]).to_csv(tmp_path / "x.csv", index=False)
        table = read(tmp_path / "x.csv")
        assert table.conditions["dose_um"].tolist() == [0.1, 10.0]
        assert table.genes["gene"].tolist() == ["G1"]


@pytest.mark.parametrize("suffix", ["csv", "h5ad"])
def test_a_dose_that_is_not_read_stops(tmp_path, suffix):
    """Doses are not averaged because their column has a strange name."""
    obs = {"cell_line": "A549", "drug": "Talc", "log_dose": [-1.0, 1.0]}
    if suffix == "csv":
        pd.DataFrame(obs).assign(G1=[1.0, -1.0]).to_csv(tmp_path / "x.csv", index=False)
    else:
        write_h5ad(tmp_path / "x.h5ad", [[1.0], [-1.0]], obs)
    path = tmp_path / f"x.{suffix}"
    with pytest.raises(InputError, match="'log_dose': it says logarithms.*--column dose="):
        read(path)
    table = read(path, overrides={"dose": ""})
    assert table.deltas.tolist() == [[0.0]]
    assert table.provenance["replicates_averaged"] == 1


def test_times_are_never_averaged(tmp_path):
    """Several are refused, one of them can be read, the one that was is recorded."""
    obs = {"cell_line": "A549", "drug": "Talc", "time_h": [6, 24]}
    path = write_h5ad(tmp_path / "x.h5ad", [[1.0], [-1.0]], obs)
    with pytest.raises(InputError, match="rows of 2 times.*: 6, 24.*--time 6"):
        read(path)
    table = read(path, time="6")
    assert table.deltas.tolist() == [[1.0]]
    assert table.provenance["time"] == "6"
    assert table.provenance["dropped"] == {"of another time": 1}


def test_what_is_averaged_over_is_warned_of_and_recorded(tmp_path, caplog):
    """Rows of one condition that differ in a column nobody reads."""
    obs = {"cell_line": "A549", "drug": "Talc", "genotype": ["wt", "ko"], "batch": ["1", "2"]}
    table = read(write_h5ad(tmp_path / "x.h5ad", [[1.0], [-1.0]], obs))
    assert table.provenance["averaged_over"] == {"genotype": 2, "batch": 2}
    assert "they differ in genotype (2 values)" in caplog.text


def test_a_circumstance_that_is_averaged_over_is_warned_of(tmp_path, caplog):
    """A temperature is no gene, and rows that differ in it are not averaged in silence."""
    obs = pd.DataFrame({"cell_line": "A549", "drug": "Talc", "temperature": [37.0, 42.0]})
    obs.assign(G=[1.0, -1.0]).to_csv(tmp_path / "x.csv", index=False)
    table = read(tmp_path / "x.csv")
    assert table.genes["gene"].tolist() == ["G"]
    assert table.provenance["averaged_over"] == {"temperature": 2}
    assert "they differ in temperature (2 values)" in caplog.text


def test_a_unit_alone_is_asked_about(tmp_path):
    """A column called ``um`` holds doses, or who gave it says that it holds none."""
    obs = pd.DataFrame({"cell_line": "A549", "drug": "Talc", "um": [0.1, 10.0]})
    obs.assign(G=[1.0, -1.0]).to_csv(tmp_path / "x.csv", index=False)
    with pytest.raises(InputError, match="column 'um': it looks like a dose.*--column dose='um'"):
        read(tmp_path / "x.csv")
    table = read(tmp_path / "x.csv", overrides={"dose": "um", "dose_unit": "uM"})
    assert table.conditions["dose_um"].tolist() == [0.1, 10.0]


def test_a_named_index_of_parquet_is_metadata(tmp_path):
    """An index is kept apart by pandas; the columns it holds are read like all others."""
    table_of().set_index(["cell_line", "drug"]).to_parquet(tmp_path / "x.parquet")
    assert read(tmp_path / "x.parquet").conditions["cell_line"].tolist()[0] == "697"


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (np.zeros((2, 3)), "all 2 x 3 values are zero"),
        (np.full((2, 60), 1.5), "2 x 60 values and none below zero: expression.*--unsigned"),
    ],
)
def test_what_can_be_no_change_is_refused(tmp_path, values, says):
    """Nothing but zeros, or log-normalised expression."""
    obs = {"cell_line": "A549", "drug": ["a", "b"]}
    with pytest.raises(InputError, match=says):
        read(write_h5ad(tmp_path / "x.h5ad", values, obs))


def test_a_trace_below_zero_makes_no_changes_of_expression(tmp_path):
    """Of 1,200 values, 11 below zero are refused, 12 are believed; zeros do not count."""
    values = np.zeros((2, 1_000), dtype=np.float32)
    values[:, :600] = 1.5
    values[0, :11] = -1e-6
    obs = {"cell_line": "A549", "drug": ["a", "b"]}
    path = write_h5ad(tmp_path / "x.h5ad", values, obs)
    said = r"1,200 values other than zero and only 11 below zero \(0\.0092 .*--unsigned"
    with pytest.raises(InputError, match=said):
        read(path)
    assert len(read(path, unsigned=True).conditions) == 2
    values[0, 11] = -1e-6
    assert len(read(write_h5ad(tmp_path / "y.h5ad", values, obs)).conditions) == 2


def test_changes_without_a_sign_can_be_believed(tmp_path):
    """Where the caller says so."""
    obs = {"cell_line": "A549", "drug": ["a", "b"]}
    path = write_h5ad(tmp_path / "x.h5ad", np.full((2, 60), 1.5), obs)
    assert read(path, unsigned=True).deltas.shape == (2, 60)


def test_controls_alone_say_what_was_left_out(tmp_path):
    """Doses of 0 are not the vehicle's fault."""
    obs = {"cell_line": "A", "drug": ["DMSO", "Talc"], "dose_um": [0.0, 0.0]}
    with pytest.raises(InputError, match="rows left out: dose not positive: 1"):
        read(write_h5ad(tmp_path / "x.h5ad", [[0.0], [1.0]], obs))


def test_files_of_a_folder_must_agree_on_metadata(tmp_path):
    """A dose that one file calls otherwise would be lost."""
    for name, dose in [("a", "dose_um"), ("b", "dose")]:
        frame = pd.DataFrame({"cell_line": ["A"], "drug": ["T"], dose: [1.0], "G": [1.0]})
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    with pytest.raises(InputError, match=r"b\.csv: its metadata columns differ.* by dose, dose_um"):
        read(tmp_path)


@pytest.mark.parametrize(("low", "refused"), [(0, True), (-1, False)])
def test_counts_are_not_taken_for_changes(tmp_path, low, refused):
    """A thousand whole numbers, none below zero, are counts; with some below it perhaps not."""
    values = np.random.default_rng(0).integers(0, 9, (2, 500)).astype(np.float32)
    values[0, :20] = low
    obs = pd.DataFrame({"cell_line": "A549", "drug": ["a", "b"], "dose": 5.0, "dose_unit": "uM"})
    write_h5ad(tmp_path / "x.h5ad", values, obs)
    if refused:
        with pytest.raises(InputError, match="raw counts"):
            read(tmp_path / "x.h5ad")
    else:
        assert len(read(tmp_path / "x.h5ad").conditions) == 2


@pytest.mark.real
def test_tahoe_ranks(real_data):
    """3,778 conditions of 35 lines and 110 drugs; cells and line ids come along."""
    path = real_data / "tahoe_rank" / "deltas.h5ad"
    table = read_deltas(path, value_kind=ValueKind.RANK_SCORE)
    assert table.deltas.shape == (3_778, 2_000)
    assert table.conditions["drug"].nunique() == 110
    assert table.conditions["n_replicates"].sum() == anndata.read_h5ad(path).obs.n_replicates.sum()
    assert table.genes["in_panel"].all()
    a549 = table.cell_lines.set_index("cell_line").loc["A549"]
    assert a549.to_dict() == {
        "cellosaurus": "CVCL_0023",
        "depmap_id": "ACH-000681",
        "organ": "Lung",
    }


@pytest.mark.real
def test_sciplex_ranks(real_data):
    """Unknown replicates (-1) and cells stay unknown; the panel is the 2,000 most variable."""
    path = real_data / "sciplex_rank" / "deltas.h5ad"
    table = read_deltas(path, value_kind=ValueKind.RANK_SCORE)
    assert table.deltas.shape == (161, 4_450)
    assert table.conditions[["n_cells", "n_replicates"]].isna().all(axis=None)
    assert table.genes["in_panel"].sum() == 2_000
