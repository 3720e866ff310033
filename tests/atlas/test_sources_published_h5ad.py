"""scPerturb, OP3 and Chem-PerturBridge are read with nothing said; their traps are seen."""

import numpy as np
import pytest

from lgr_core.atlas.ingest import ingest
from lgr_core.atlas.ingest_options import IngestOptions
from lgr_core.atlas.store import open_atlas
from lgr_core.domain import ValueKind
from lgr_core.errors import InputError
from tests.support.count_files import write_h5ad
from tests.support.published_files import (
    bridge_contrasts,
    bridge_file,
    op3_contrasts,
    op3_counts,
    sciplex_file,
)


@pytest.fixture
def build(tmp_path):
    """Ingest a file and open the atlas."""

    def build(path, **options):
        folder = tmp_path / "atlases" / "x"
        ingest(path, folder, options=IngestOptions(**options), overwrite=True)
        return open_atlas("x", folder.parent)

    return build


def conditions(store):
    """(line, drug, dose) of every condition."""
    table = store.conditions[["cell_line", "drug", "dose_um"]].fillna({"dose_um": -1})
    return [tuple(row) for row in table.itertuples(index=False)]


def test_sci_plex_as_scperturb_has_it(build, tmp_path):
    """Doses are nM, ``control`` is the vehicle."""
    store = build(sciplex_file(tmp_path / "sciplex.h5ad"))
    assert store.provenance["form"] == "scPerturb"
    assert conditions(store) == [("A549", "Talc", 0.1), ("K562", "Talc", 0.01)]
    assert store.provenance["time"] == "24"
    assert store.genes.set_index("gene").loc["G1", "ensembl_id"] == "ENSG00000000003"


def test_the_shifted_release_of_sci_plex_is_refused(build, tmp_path):
    """A header read as a gene shifts every name: none of them may be believed."""
    with pytest.raises(InputError, match=r"'id gene_short_name', a table's header.*1\.4 or later"):
        build(sciplex_file(tmp_path / "old.h5ad", shifted=True))


def test_op3_cells(build, tmp_path):
    """Counts of the layer; the vehicle alone is one, positive controls are treatments."""
    store = build(op3_counts(tmp_path / "sc_counts.h5ad"))
    assert store.provenance["form"] == "OP3"
    assert [drug for _, drug, _ in conditions(store)] == ["Belinostat", "Dabrafenib", "Talc"]
    assert store.provenance["control_labels"] == ["Dimethyl Sulfoxide"]
    row = store.rows("NK cells", ["Dabrafenib"], 1.0)
    delta = dict(zip(store.gene_names, store.deltas(row, all_genes=True)[0], strict=True))
    assert delta["G0"] == pytest.approx(np.log1p(7_500) - np.log1p(5_000))


def test_op3_contrasts(build, tmp_path):
    """log2 fold changes of limma; the flag on positive controls leaves none of them out."""
    store = build(op3_contrasts(tmp_path / "de_train.h5ad"))
    assert store.value_kind is ValueKind.LOG2FC
    assert conditions(store) == [
        ("NK cells", drug, -1) for drug in ("Belinostat", "Dabrafenib", "Talc")
    ]
    assert store.deltas(store.rows("NK cells", ["Talc"], None)).tolist() == [[-3.0, 1.0]]
    assert store.annotations["Talc"]["smiles"] == "CCC"
    scores = {"layer": "clipped_sign_log10_pval", "value_kind": ValueKind.RANK_SCORE}
    other = build(tmp_path / "de_train.h5ad", **scores)
    assert other.deltas(other.rows("NK cells", ["Talc"], None)).tolist() == [[-12.0, 4.0]]


def test_chem_perturbridge(build, tmp_path):
    """Each row is a bulk however few its counts, the flag is the vehicle, ids become names."""
    store = build(bridge_file(tmp_path / "sciplex.h5ad"))
    assert store.provenance["form"] == "Chem-PerturBridge"
    drugs = [("Zinc", 0.01), ("Talc", 10.0)]
    assert conditions(store) == [(line, *drug) for line in ("A549", "LoVo") for drug in drugs]
    assert store.provenance["unit"] == "well"
    assert store.provenance["time"] == "24"
    assert set(store.genes["gene"]) == {"TP53", "MYC"}
    assert store.annotations["Talc"]["pubchem_cid"] != ""


def test_chem_perturbridge_contrasts(build, tmp_path):
    """log2 fold changes; the plate of one of many samples is no plate of the contrast."""
    store = build(bridge_contrasts(tmp_path / "CVCL_0023_de.h5ad"))
    assert store.value_kind is ValueKind.LOG2FC
    assert conditions(store) == [("A549", "Zinc", 0.01), ("A549", "Talc", 10.0)]
    assert store.plates.empty
    assert store.deltas(store.rows("A549", ["Talc"], 10.0)).tolist() == [[1.0, -1.0]]


def test_none_of_these_says_what_would_help(build, tmp_path):
    """Columns found, and the flags that name them."""
    obs = {"treated_with": ["Talc", "DMSO"], "tissue": ["lung", "lung"]}
    path = write_h5ad(tmp_path / "own.h5ad", [[1, 2], [3, 4]], obs)
    said = r"columns found: .*treated_with.*Say --column cell_line=NAME"
    with pytest.raises(InputError, match=said):
        build(path)
    (tmp_path / "table.sav").write_bytes(b"x")
    with pytest.raises(InputError, match=r"its format is unknown\. Give \.h5ad"):
        build(tmp_path / "table.sav")
