"""Calibrations on planted worlds: honest when features tell, and when they tell nothing."""

import json

import numpy as np
import pandas as pd
import pytest

from lgr_core.domain import Change, Condition
from lgr_core.errors import InputError, NotFoundError
from lgr_core.evaluation.calibration import ERRORS, SCORE, cross_fitted, fit, widening
from lgr_core.evaluation.calibration_curves import intervals, levels, reliability, risk_coverage
from lgr_core.evaluation.calibration_data import TrustTable
from lgr_core.evaluation.calibration_store import (
    newest_calibration,
    newest_params,
    read_calibration,
    regime_of,
    repeat_of,
    write_calibrations,
)
from lgr_core.evaluation.regimes import Regime
from lgr_core.prediction.mean_baselines import CellMean
from lgr_core.prediction.trust import LEVELS
from lgr_core.prediction.trust_features import FEATURES
from lgr_core.retrieval.query_block import EvidenceReader


def planted(*, lines=12, drugs=40, tells=True, seed=0):
    """Conditions whose score is r = 0.2 + 0.6 u + noise; u is a feature, or hidden.

    Errors are half-normal, the larger the worse the score.
    """
    rng = np.random.default_rng(seed)
    n = lines * drugs
    u = rng.random(n)
    table = pd.DataFrame(rng.random((n, len(FEATURES))), columns=list(FEATURES))
    if tells:
        table["likeness"] = u
    sizes = np.abs(rng.standard_normal((n, 400))) * (2 - u)[:, None]
    table[list(ERRORS)] = np.quantile(sizes, LEVELS, axis=1).T
    table[SCORE] = 0.2 + 0.6 * u + 0.05 * rng.standard_normal(n)
    names = {
        "cell_line": [f"L{i // drugs}" for i in range(n)],
        "drug": [f"D{i % drugs}" for i in range(n)],
        "dose_um": 5.0,
    }
    table = table.assign(**names, regime="open_world", method="best_evidence")
    return table.assign(parent=table["drug"])


def test_what_features_tell_is_learned():
    """Expected r within a few hundredths, errors within the intervals, in nine of ten genes."""
    table = planted()
    told = cross_fitted(table)
    assert np.abs(told["expected"] - told[SCORE]).mean() < 0.06
    assert told["covered"].mean() == pytest.approx(0.9, abs=0.01)
    held = (told[SCORE] >= told["low"]) & (told[SCORE] <= told["high"])
    assert held.mean() == pytest.approx(0.9, abs=0.04)
    found = reliability(told)
    assert found["tenth"].tolist() == list(range(1, 11))
    assert found["error"].iloc[0] < 0.03
    assert (np.diff(found["expected"]) > 0).all()


def test_what_features_do_not_tell_is_the_mean():
    """No spread in what is expected, and still the right mean and coverage."""
    told = cross_fitted(planted(tells=False))
    assert told["expected"].std() < 0.07
    assert told["expected"].mean() == pytest.approx(told[SCORE].mean(), abs=0.02)
    assert told["covered"].mean() == pytest.approx(0.9, abs=0.01)


def test_what_few_compounds_tell_by_chance_is_hardly_believed():
    """Scores and a feature that hang on the compound, but not on each other."""
    table = planted(lines=20, drugs=20, tells=False)
    code = table["parent"].str[1:].astype(int)
    rng = np.random.default_rng(3)
    table["likeness"] = rng.random(20)[code] + 0.01 * rng.random(len(table))
    table[SCORE] = 0.5 + 0.2 * rng.standard_normal(20)[code]
    told = cross_fitted(table)
    assert np.abs(told["expected"] - told[SCORE].mean()).mean() < 0.04


def test_where_nearly_all_genes_are_right_an_interval_has_no_width():
    """Silent genes, predicted silent: nine tenths lie within nothing."""
    table = planted()
    table[list(ERRORS[:-1])] = 0.0
    assert fit(table).width == 0


def test_a_calibration_never_saw_the_rows_line_or_parent():
    """Scores of one line and of one parent changed: what is expected there stays the same."""
    table = planted()
    unit = (table["cell_line"] == "L3") | (table["parent"] == "D5")
    both = (table["cell_line"] == "L3") & (table["parent"] == "D5")
    changed = table.assign(**{SCORE: table[SCORE].where(~unit, -1.0)})
    before, after = cross_fitted(table)[both], cross_fitted(changed)[both]
    np.testing.assert_array_equal(before["expected"], after["expected"])
    np.testing.assert_array_equal(before["width"], after["width"])


def test_keeping_the_most_trusted_raises_the_mean():
    """By as much as the planted rule says; keeping all gains nothing."""
    table = risk_coverage(cross_fitted(planted())).set_index("kept")
    assert table.loc[0.5, "gain"] == pytest.approx(0.15, abs=0.02)
    assert table.loc[1.0, "gain"] == pytest.approx(0)
    assert (table["mean"] <= table["oracle"] + 1e-12).all()
    assert table.loc[0.1, "n_queries"] == 48


def test_coverage_has_a_clustered_interval():
    """One row a regime and method."""
    found = intervals(cross_fitted(planted())).iloc[0]
    assert found["low"] < found["coverage"] < found["high"]
    assert found["coverage"] == pytest.approx(0.9, abs=0.01)
    assert found["n_clusters"] == 12


@pytest.mark.parametrize(("lines", "drugs"), [(1, 5), (2, 3), (3, 1)])
def test_few_conditions_are_lived_with(lines, drugs):
    """Where nothing is left to learn from, nothing is expected, and tables are empty, not wrong."""
    told = cross_fitted(planted(lines=lines, drugs=drugs))
    assert len(told) == lines * drugs
    if lines == 1:
        assert told["expected"].isna().all()
        assert reliability(told).empty
        assert intervals(told).empty
    risk_coverage(told)


def test_a_run_without_a_method_to_trust_has_empty_tables(toy, tmp_path):
    """Of none, nothing: no row, no calibration, no error."""
    block = EvidenceReader(toy).block("A549", 5.0, ["Trametinib"])
    trust = TrustTable({"cell_mean": [CellMean()]})
    trust.add(block, {"cell_mean": CellMean().predict(block)}, toy.deltas(block.rows))
    table = trust.table(pd.DataFrame([{"cell_line": "A549"}]), "open_world")
    told = cross_fitted(table)
    assert [len(f(told)) for f in (reliability, risk_coverage, intervals)] == [0, 0, 0]
    write_calibrations(tmp_path / "calibration.json", table)
    assert (tmp_path / "calibration.json").read_text() == "{}\n"


def test_undefined_scores_are_left_out():
    """A prediction without a score has no trust to be calibrated."""
    table = planted()
    table.loc[:9, SCORE] = np.nan
    table.loc[10:19, list(ERRORS)] = np.nan
    assert len(cross_fitted(table)) == len(table) - 20


def test_calibrations_are_written_for_predictions(tmp_path):
    """Read again they are those of all conditions; what is not there is said."""
    table = planted()
    path = tmp_path / "calibration.json"
    write_calibrations(path, table)
    assert read_calibration(path, "open_world", "best_evidence") == fit(table)
    with pytest.raises(InputError, match="Run lgr benchmark"):
        read_calibration(path, "open_world", "lgr_llm")
    with pytest.raises(InputError, match="calibration of"):
        read_calibration(tmp_path / "nothing.json", "open_world", "best_evidence")


def run_of(
    folder, store, *, finished="2026-01-01", build=None, fitted=None, about=None, **planted_as
):
    """A finished run's config and calibrations."""
    folder.mkdir(parents=True)
    config = {"atlas": store.name, "build_id": build or store.build_id, "k": 7}
    config |= {"finished_at": finished, "fitted": fitted or {}, **(about or {})}
    (folder / "config.json").write_text(json.dumps(config))
    write_calibrations(folder / "calibration.json", planted(**planted_as))


def test_the_newest_run_of_the_same_build_speaks(toy, tmp_path):
    """Not another build's, not one without a config, and not one made from other features."""
    run_of(tmp_path / "old", toy, finished="2026-01-01", seed=1)
    run_of(tmp_path / "new", toy, finished="2026-02-01", seed=2)
    run_of(tmp_path / "other", toy, finished="2026-03-01", build="0" * 32)
    run_of(tmp_path / "stale", toy, finished="2026-04-01")
    stale = tmp_path / "stale" / "calibration.json"
    stale.write_text(stale.read_text().replace('"cells"', '"wells"'))
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "config.json").write_text("[1]")
    query = Condition("A549", "Trametinib", 5.0)
    found = newest_calibration(tmp_path, toy, query, "best_evidence", Change.TOTAL)
    assert (found.run, found.regime, found.k) == ("new", Regime.OPEN_WORLD, 7)
    assert found.calibration == fit(planted(seed=2))
    with pytest.raises(NotFoundError, match="Run lgr benchmark --atlas toy"):
        newest_calibration(tmp_path, toy, query, "lgr_llm", Change.TOTAL)
    new = Condition("A549", "New", 5.0)
    with pytest.raises(NotFoundError, match="unseen drug"):
        newest_calibration(tmp_path, toy, new, "best_evidence", Change.TOTAL)
    with pytest.raises(NotFoundError, match="Run lgr calibrate toy"):
        newest_calibration(tmp_path, toy, query, "best_evidence", Change.SPECIFIC)


def chose(drawn, kernel):
    """What best evidence learned in a fold, as a run's config has it."""
    return {"best_evidence": {"settings": {"drawn": drawn}, "kernel": kernel}}


def test_what_most_folds_of_the_newest_run_chose_is_learned(toy, tmp_path):
    """Of the open world; the kernel of unseen drugs; what an older program wrote says nothing."""
    folds = {
        "open_world-0": chose(1, "a"),
        "open_world-1": chose(2, "b"),
        "open_world-2": chose(2, "b"),
        "unseen_drug-0": chose(5, "c"),
        "unseen_cell_line-0": chose(7, "d"),
    }
    run_of(tmp_path / "old", toy, fitted={"open_world-0": chose(9, "z")})
    run_of(tmp_path / "new", toy, finished="2026-02-01", fitted=folds)
    run_of(
        tmp_path / "words", toy, finished="2026-03-01", fitted={"open_world-0": {"kriging": "w"}}
    )
    run_of(tmp_path / "other", toy, finished="2026-04-01", build="0" * 32, fitted=folds)
    found = newest_params(tmp_path, toy, "best_evidence")
    assert found == {"settings": {"drawn": 2}, "kernel": "c"}
    assert newest_params(tmp_path, toy, "kriging") is None
    alone = {part: told for part, told in folds.items() if part.startswith("unseen_drug")}
    run_of(tmp_path / "last", toy, finished="2026-05-01", fitted=alone)
    assert newest_params(tmp_path, toy, "best_evidence")["settings"] == {"drawn": 5}


def test_a_calibration_of_new_experiments_is_found_beside_the_runs(toy, tmp_path):
    """It speaks of the specific change; a run that opened the query's own wells does not."""
    runs = tmp_path / "runs"
    own = {"change": "specific", "evidence": "other_wells"}
    run_of(tmp_path / "calibrations" / "own", toy, about=own, seed=3)
    run_of(runs / "same_wells", toy, finished="2026-05-01", about=own | {"evidence": "any"})
    query = Condition("A549", "Trametinib", 5.0)
    found = newest_calibration(runs, toy, query, "best_evidence", Change.SPECIFIC)
    assert (found.run, found.change) == ("own", Change.SPECIFIC)
    assert found.calibration == fit(planted(seed=3))
    with pytest.raises(NotFoundError, match="Run lgr benchmark --atlas toy"):
        newest_calibration(runs, toy, query, "best_evidence", Change.TOTAL)


def test_limits_are_wider_where_lines_are_few_and_differ():
    """By hand: two lines 2 apart, three parents alike, no noise: t of one degree of freedom."""
    residual = np.array([-1.0, -1.0, -1.0, 1.0, 1.0, 1.0])
    line, parent = pd.Series(list("aaabbb")), pd.Series(list("xyzxyz"))
    # Between lines 2, of which half is seen about their own mean: 2 (1 + 1/2) t^2 / (2 (1 - 1/2)).
    t_by_normal = 6.313752 / 1.644854
    assert widening(residual, line, parent) == pytest.approx(np.sqrt(3.0) * t_by_normal, rel=1e-5)


def test_limits_stay_where_lines_and_parents_are_many():
    """Noise alone, or many lines and parents: within a few percent of what is seen."""
    rng = np.random.default_rng(0)
    line = pd.Series(np.repeat(np.arange(60), 60))
    parent = pd.Series(np.tile(np.arange(60), 60))
    noise = rng.normal(size=3600)
    assert widening(noise, line, parent) == pytest.approx(1, abs=0.01)
    offsets = rng.normal(size=60)[line] + rng.normal(size=60)[parent]
    assert 1 < widening(noise + offsets, line, parent) < 1.05
    assert widening(np.zeros(3600), line, parent) == 1


def test_levels_count_conditions_and_parents():
    """Each parent by the level of most of its conditions; nothing expected is not counted."""
    rows = [("a", 0.5, 0.2), ("a", 0.5, 0.2), ("a", 0.5, 0.0), ("b", 0.3, 0.05), ("c", 0.1, -0.2)]
    table = pd.DataFrame(rows, columns=["parent", "expected", "low"])
    table = table.assign(regime="unseen_drug", method="kriging")
    table.loc[len(table)] = ["d", np.nan, np.nan, "unseen_drug", "kriging"]
    (row,) = levels(table, None).to_dict("records")
    assert (row["n_queries"], row["n_parents"]) == (5, 3)
    assert [row[level] for level in ("green", "yellow", "grey")] == [1, 1, 1]
    assert levels(table, 1.2)["green"].tolist() == [0]


def test_a_repeat_counts_where_enough_parents_have_one():
    """Another plate before another form; of twenty parents or more."""

    def scored(method, n, value):
        parents = [f"p{i}" for i in range(n)]
        named = {"metric": "pearson_specific", "method": method}
        return pd.DataFrame({"parent": parents, "value": value, **named})

    few, many = scored("replicate_plate", 19, 0.3), scored("replicate_twin", 20, 0.2)
    assert repeat_of(few, "pearson_specific") is None
    assert repeat_of(pd.concat([few, many]), "pearson_specific") == pytest.approx(0.2)
    plates = scored("replicate_plate", 20, 0.3)
    assert repeat_of(pd.concat([plates, many]), "pearson_specific") == pytest.approx(0.3)


def test_the_regime_is_that_of_the_question(toy):
    """Open world where the drug was measured in another line at that dose, else an unseen drug."""
    assert regime_of(toy, Condition("A549", "Trametinib", 5.0)) is Regime.OPEN_WORLD
    assert regime_of(toy, Condition("A549", "Trametinib", 0.5)) is Regime.UNSEEN_DRUG
    assert regime_of(toy, Condition("A549", "New drug", 5.0)) is Regime.UNSEEN_DRUG
