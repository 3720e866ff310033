"""GCT and GCTX with metadata of their own."""

import numpy as np
import pytest

from lgr_core.atlas.ingest import ingest
from lgr_core.atlas.ingest_options import IngestOptions
from lgr_core.atlas.sources.detect import detect_format
from lgr_core.atlas.store import open_atlas
from lgr_core.domain import ValueKind
from lgr_core.errors import InputError, UsageError
from tests.support.gct_files import write_gct, write_gctx

WRITERS = {"x.gctx": write_gctx, "x.gct": write_gct, "x.gct.gz": write_gct}


@pytest.fixture(params=WRITERS)
def path(request, tmp_path):
    """The same signatures in each container."""
    return WRITERS[request.param](tmp_path / request.param)


def build(path, **options):
    """Ingest and open."""
    folder = path.parent / "atlases" / "x"
    ingest(path, folder, options=IngestOptions(**options), overwrite=True)
    return open_atlas("x", folder.parent)


def test_own_metadata_are_read(path):
    """Compounds over measured genes, doses nominal; ``697`` is a line; -666 is nothing."""
    store = build(path, value_kind=ValueKind.ZSCORE)
    found = store.conditions[["cell_line", "drug", "dose_um"]]
    assert [tuple(row) for row in found.itertuples(index=False)] == [
        ("697", "Talc", 10.0),
        ("A549", "Zinc", 0.5),
        ("A549", "Talc", 10.0),
    ]
    assert store.gene_names.tolist() == ["TP53", "MYC"]
    assert store.deltas(np.arange(3)).tolist() == [[3, -3], [-1, 0.5], [1.5, 2]]
    assert store.provenance["signatures_left_out"]["ctl_vehicle"] == 1
    assert store.provenance["inferred_genes_left_out"] == 1
    assert store.provenance["form"] in {"GCT", "GCTX"}


def test_the_kind_is_asked_for_where_the_level_is_unknown(path):
    """A container does not say what it holds."""
    with pytest.raises(UsageError, match="--value-kind zscore"):
        build(path)


@pytest.mark.parametrize("name", ["LEVEL5_x.gctx", "GSE70138_Broad_LINCS_Level4_ZSPCINF.gct"])
def test_a_level_that_the_name_tells_is_named(tmp_path, name):
    """Levels 4 and 5 are z-scores."""
    path = (write_gctx if name.endswith("gctx") else write_gct)(tmp_path / name)
    store = build(path)
    assert store.provenance["form"] == f"LINCS L1000 level {5 if 'LEVEL5' in name else 4}"
    assert store.value_kind is ValueKind.ZSCORE


def test_levels_of_expression_are_refused(tmp_path):
    """Level 3 holds no change."""
    path = write_gctx(tmp_path / "x_Q2NORM_n4x3.gctx")
    with pytest.raises(InputError, match="level 3, which is expression"):
        build(path, value_kind=ValueKind.ZSCORE)


def test_a_gct_without_metadata_or_with_other_bytes_is_refused(tmp_path):
    """Version 1.2 has none; sizes that do not fit; no GCT at all."""
    path = tmp_path / "x.gct"
    path.write_text("#1.2\n1\t2\nName\tDescription\ts1\ts2\nTP53\tna\t1\t2\n")
    with pytest.raises(InputError, match="no metadata of its columns"):
        build(path, value_kind=ValueKind.ZSCORE)
    write_gct(path)
    path.write_text(path.read_text().replace("3\t4", "5\t4", 1))
    with pytest.raises(InputError, match="cut off or damaged"):
        build(path, value_kind=ValueKind.ZSCORE)
    path.write_text("no GCT\n1\n")
    with pytest.raises(InputError, match="not with #1.3"):
        detect_format(path)
