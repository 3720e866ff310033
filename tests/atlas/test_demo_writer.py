"""The simulated atlas: its plates, its planted biology, its file."""

import itertools

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from lgr_core.atlas.demo.parameters import RULES, STRENGTH, hill, line_factor
from lgr_core.atlas.demo.simulation import DemoWorld, demo_drugs, demo_lines
from lgr_core.atlas.demo.writer import VEHICLE, plan_wells, simulate_line, write_demo
from lgr_core.atlas.sources.h5ad_writer import write_counts
from lgr_core.errors import InputError, NotFoundError

LINES = {line.name: line for line in demo_lines()}
DRUGS = {drug.name: drug for drug in demo_drugs()}
FEW_LINES = [LINES["A549"], LINES["J82"]]
FEW_DRUGS = [DRUGS[name] for name in ("Binimetinib", "Naproxen", "Trametinib", "Triamcinolone")]


@pytest.fixture(scope="module")
def world():
    """The world of seed 0."""
    return DemoWorld()


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Two lines and four drugs, written and read back, with the calls of its progress."""
    calls = []
    path = write_demo(
        tmp_path_factory.mktemp("demo"),
        lines=FEW_LINES,
        drugs=FEW_DRUGS,
        progress=lambda *call: calls.append(call),
    )
    return ad.read_h5ad(path), calls


def _effect(world, line, drug, gene, dose_um=5.0):
    return world.effect(LINES[line], DRUGS[drug], dose_um)[world.gene_index(gene)]


# -- plan ------------------------------------------------------------------------------------------


def test_the_demo_has_the_promised_size():
    """110 drugs, twenty of them at three doses, in 12 lines that include the three of the paper."""
    assert len(DRUGS) == 110
    assert sum(drug.doses_um == (0.05, 0.5, 5.0) for drug in DRUGS.values()) == 20
    assert {drug.doses_um for drug in DRUGS.values()} == {(5.0,), (0.05, 0.5, 5.0)}
    assert len(LINES) == 12
    assert {"A549", "LoVo", "HepG2/C3A"} <= set(LINES)


def test_every_plate_has_its_vehicle_and_one_dose():
    """Doses never share a plate, and no drug stands twice on one."""
    wells = plan_wells(list(DRUGS.values()), 3)
    for _, plate in itertools.groupby(wells, key=lambda well: well.plate):
        vehicle, *treated = plate
        assert vehicle.drug is None
        assert len({well.dose_um for well in treated}) == 1
        assert len({well.drug for well in treated}) == len(treated) > 1


def test_every_drug_is_measured_and_the_dose_series_repeated():
    """Each drug has a well for each dose; those of the series have a second one at the top."""
    wells = plan_wells(list(DRUGS.values()), 3)
    counted = pd.Series([(w.drug.name, w.dose_um) for w in wells if w.drug is not None])
    expected = {(d.name, dose): 1 for d in DRUGS.values() for dose in d.doses_um}
    expected |= {(d.name, 5.0): 2 for d in DRUGS.values() if len(d.doses_um) > 1}
    assert counted.value_counts().to_dict() == expected


# -- biology ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tag", "signature", "features", "expected"),
    [
        ("hdac_inhibitor", "histone_acetylation", "", 1.6),
        ("mek_inhibitor", "mapk_output", "KRAS", 1.2),
        ("mek_inhibitor", "mapk_output", "TP53", 0.6),
        ("raf_inhibitor", "mapk_output", "KRAS", 0.2),
        ("egfr_inhibitor", "mapk_output", "EGFR", 1.3),
        ("egfr_inhibitor", "mapk_output", "EGFR KRAS", 0.35 * 1.3),
        ("topoisomerase1_inhibitor", "p53_response", "TP53", 1.2 * 0.1),
        ("topoisomerase1_inhibitor", "p53_response", "", 1.2),
        ("mdm2_inhibitor", "p53_response", "TP53", 0.05 * 0.1),
        ("cdk46_inhibitor", "e2f_s_phase", "RB1", 0.1),
        ("cdk46_inhibitor", "e2f_s_phase", "", 1.0),
    ],
)
def test_drivers_decide_where_a_mechanism_bites(tag, signature, features, expected):
    """Strength times every rule that names the tag or the signature, by hand."""
    assert line_factor(tag, signature, frozenset(features.split())) == pytest.approx(expected)


def test_rules_name_what_exists(world):
    """A misspelt tag or signature in the tables would never bite."""
    known = set(world.book.mechanisms) | set(world.book.signatures)
    assert {name for rule in RULES for name in rule.names} <= known
    assert set(STRENGTH) <= set(world.book.mechanisms)


def test_dose_response_is_hill():
    """Half the effect at the EC50, 1/(1 + 2^-n) at twice that."""
    assert hill(0.2, 0.2, 1.2) == pytest.approx(0.5)
    assert hill(0.4, 0.2, 1.0) == pytest.approx(2 / 3)


def test_effects_grow_with_dose(world):
    """Every drug of the dose series moves more the more is given."""
    for drug in DRUGS.values():
        sizes = [np.linalg.norm(world.effect(LINES["LoVo"], drug, d)) for d in drug.doses_um]
        assert sizes == sorted(sizes)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_mek_inhibition_lowers_mapk_output_in_a549(seed):
    """A549 has mutant KRAS: MEK inhibitors lower the mean of its MAPK genes clearly."""
    world = DemoWorld(seed)
    genes = world.book.signature("mapk_output").up
    for drug in ("Trametinib", "Binimetinib"):
        assert np.mean([_effect(world, "A549", drug, gene) for gene in genes]) < -0.5


def test_mek_inhibition_lowers_dusp6_in_a549_more_than_in_j82(world):
    """The textbook read-out, against a line without a RAS or RAF mutation."""
    assert _effect(world, "A549", "Trametinib", "DUSP6") < -0.8
    assert _effect(world, "J82", "Trametinib", "DUSP6") > -0.8


def test_damage_raises_p53_targets_only_with_p53(world):
    """A topoisomerase inhibitor raises p53 targets in LoVo (wild type) but not in PANC-1."""
    genes = world.book.signature("p53_response").up
    drug = "Irinotecan (hydrochloride)"
    wild = np.mean([_effect(world, "LoVo", drug, gene) for gene in genes])
    mutant = np.mean([_effect(world, "PANC-1", drug, gene) for gene in genes])
    assert wild > 0.5
    assert mutant < 0.4 * wild


@pytest.mark.parametrize("line", LINES.values(), ids=lambda line: line.name)
def test_drugs_of_one_mechanism_are_more_alike_than_others(world, line):
    """Pairs that share a tag correlate on average above 0.5, other active pairs below 0.2."""
    drugs = [drug for drug in DRUGS.values() if not world.is_inert(drug)]
    r = np.corrcoef([world.effect(line, drug, 5.0) for drug in drugs])
    same, other = [], []
    for i, j in itertools.combinations(range(len(drugs)), 2):
        (same if set(drugs[i].tags) & set(drugs[j].tags) else other).append(r[i, j])
    assert np.mean(same) > 0.5
    assert abs(np.mean(other)) < 0.2


def test_two_drugs_of_one_mechanism_are_not_the_same(world):
    """Private genes and another mix of programmes keep neighbours apart."""
    effects = [world.effect(LINES["A549"], drug, 5.0) for drug in (FEW_DRUGS[0], FEW_DRUGS[2])]
    assert 0.5 < np.corrcoef(effects)[0, 1] < 0.95


def test_inert_drugs_hardly_move_anything(world):
    """53 of the 110 have no programme; they move less than a tenth of what the others do."""
    inert = [drug for drug in DRUGS.values() if world.is_inert(drug)]
    assert len(inert) == 53
    active = [drug for drug in DRUGS.values() if not world.is_inert(drug)]
    line = LINES["HepG2/C3A"]
    still, moved = (
        [np.linalg.norm(world.effect(line, drug, 5.0)) for drug in group]
        for group in (inert, active)
    )
    assert max(still) < 1
    assert np.median(still) < 0.1 * np.median(moved)


def test_a_line_silences_some_genes_but_no_anchor(world):
    """Silent genes have no abundance, every signature keeps its first genes, shares sum to 1."""
    line = LINES["BT-474"]
    silent, share = world.silent(line), world.abundance(line)
    assert 0.05 < silent.mean() < 0.3
    assert (share[silent] == 0).all()
    assert (share[~silent] > 0).all()
    assert share.sum() == pytest.approx(1)
    anchors = [gene for s in world.book.signatures.values() for gene in s.up[:8]]
    assert not silent[[world.gene_index(gene) for gene in anchors]].any()


def test_an_unknown_gene_is_named(world):
    """Asking for a gene that is not simulated offers the nearest one."""
    with pytest.raises(NotFoundError, match=r"gene 'DUPS6'.*DUSP6"):
        world.gene_index("DUPS6")


# -- file ------------------------------------------------------------------------------------------


def test_the_file_holds_raw_counts(written):
    """Whole numbers in CSR float32, real symbols as names, cells of about the depth asked for."""
    adata, _ = written
    assert isinstance(adata.X, sparse.csr_matrix)
    assert adata.X.dtype == np.float32
    assert (adata.X.data == np.round(adata.X.data)).all()
    assert adata.X.data.min() >= 1
    assert adata.n_vars == len(set(adata.var_names)) > 2500
    assert 1500 < adata.X.sum(axis=1).mean() < 3000


def test_the_file_says_what_each_cell_is(written):
    """Line, drug, dose, unit, plate and control of each cell, all marked as simulated."""
    obs = written[0].obs
    assert set(obs["cell_line"]) == {"A549", "J82"}
    assert set(obs["drug"]) == {VEHICLE, *(drug.name for drug in FEW_DRUGS)}
    assert set(obs["dose_unit"]) == {"uM"}
    assert (obs["is_control"] == (obs["drug"] == VEHICLE)).all()
    assert set(obs.loc[obs["is_control"], "dose"]) == {0.0}
    assert set(obs.loc[~obs["is_control"], "dose"]) == {0.05, 0.5, 5.0}
    assert obs["simulated"].all()
    assert bool(written[0].uns["simulated"])
    assert obs.index.is_unique


def test_conditions_and_vehicles_have_enough_cells(written):
    """At least 20 cells a condition and plate, at least 100 vehicle cells a line and plate."""
    sizes = written[0].obs.groupby(["cell_line", "plate", "drug", "dose"], observed=True).size()
    vehicle = sizes.index.get_level_values("drug") == VEHICLE
    assert sizes[vehicle].min() >= 100
    assert sizes[~vehicle].min() >= 20


def test_planted_effects_are_in_the_counts(written):
    """Averaged per cell, Trametinib lowers the MAPK genes of A549 against its plate's vehicle."""
    adata, _ = written
    genes = list(DemoWorld().book.signature("mapk_output").up)
    share = adata.X.multiply(1 / adata.X.sum(axis=1)).tocsr()[:, adata.var_names.get_indexer(genes)]
    total = np.asarray(share.sum(axis=1)).ravel()
    top = (adata.obs["cell_line"] == "A549") & (adata.obs["dose"] == 5.0)
    plates = adata.obs.loc[top & (adata.obs["drug"] == "Trametinib"), "plate"].unique()
    here = (adata.obs["cell_line"] == "A549") & adata.obs["plate"].isin(plates)
    treated, vehicle = (total[here & (adata.obs["drug"] == d)] for d in ("Trametinib", VEHICLE))
    assert np.log(treated.mean() / vehicle.mean()) < -0.3


def test_progress_is_told_line_by_line(written):
    """Stage, lines done, lines in all."""
    assert written[1] == [("simulate", 1, 2), ("simulate", 2, 2)]


def test_the_same_seed_gives_the_same_cells(world):
    """A line does not depend on the other lines, nor on when it is drawn; another seed differs."""
    wells = plan_wells(FEW_DRUGS, 3)
    first, table = simulate_line(world, LINES["A549"], wells)
    again, same_table = simulate_line(DemoWorld(), LINES["A549"], wells)
    other, _ = simulate_line(DemoWorld(1), LINES["A549"], wells)
    assert (first != again).nnz == 0
    assert table.equals(same_table)
    assert first.shape != other.shape or (first != other).nnz > 0


def test_a_smaller_file_is_part_of_a_larger_one(written, tmp_path):
    """A549 alone has the very counts that it has beside J82."""
    path = write_demo(tmp_path, lines=FEW_LINES[:1], drugs=FEW_DRUGS)
    alone = ad.read_h5ad(path)
    both = written[0][written[0].obs["cell_line"] == "A549"]
    assert (alone.X != both.X).nnz == 0


def test_tables_that_do_not_fit_the_counts_are_refused(tmp_path):
    """Three cells with two rows of metadata are not written."""
    counts = sparse.csr_matrix(np.ones((3, 2), dtype=np.float32))
    obs, var = pd.DataFrame(index=["a", "b"]), pd.DataFrame(index=["G1", "G2"])
    with pytest.raises(InputError, match=r"counts are \(3, 2\), their tables say \(2, 2\)"):
        write_counts(tmp_path / "x.h5ad", counts, obs, var)
    assert not (tmp_path / "x.h5ad").exists()
