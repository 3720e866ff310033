"""Known answers on real data, through the same commands a user types."""

import json
import re
import shutil

import numpy as np
import pytest

from benchmarks.doses import leave_doses_out, summary
from benchmarks.leave_one_out import leave_one_out, methods
from lgr_core import open_atlas, predict
from lgr_core.atlas.plate_population import MIN_OTHERS, other_parents
from lgr_core.audit.rates import audit_rates
from lgr_core.audit.rationale_audit import RationaleAudit, reasons_of
from lgr_core.cli import main
from lgr_core.config import SHIPPED, Settings
from lgr_core.domain import Condition
from lgr_core.prediction.lgr import LGR
from lgr_core.prediction.mean_baselines import PlateMean, PoolMeans
from lgr_core.retrieval.candidate_pool import candidate_pool
from lgr_core.retrieval.llm_question import LLMOptions, Policy, Scope
from lgr_core.retrieval.llm_selector import LLMSelector
from lgr_core.retrieval.neighbor_book import NeighborBook
from lgr_core.retrieval.neighbor_files import neighbor_files, read_neighbors
from lgr_core.retrieval.recorded import find_recorded
from lgr_core.retrieval.setup import llm_selector

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def home(real_data, tmp_path_factory):
    """An LGR_HOME with tahoe_rank, macpie and cpc006, ingested by the command line."""
    home = tmp_path_factory.mktemp("real")
    tahoe, macpie = real_data / "tahoe_rank", real_data / "macpie_ovarian_raw"
    commands = [
        [tahoe / "deltas.h5ad", "--name", "tahoe_rank", "--value-kind", "rank_score",
         "--drugs", tahoe / "drugs.csv", "--shared-wells", "yes"],
        [macpie / "counts.h5ad", "--name", "macpie"],
        [real_data / "l1000" / "l1000_cpc006_log2fc.h5ad", "--name", "cpc006",
         "--value-kind", "log2fc"],
    ]  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LGR_HOME", str(home))
        for command in commands:
            assert main(["ingest", *map(str, command), "--json"]) == 0
    return home


@pytest.fixture(scope="module")
def tahoe(home):
    """The real Tahoe responses of 35 lines and 110 drugs."""
    return open_atlas("tahoe_rank", home)


@pytest.fixture(scope="module")
def macpie(home):
    """Real wells of three ovarian lines."""
    return open_atlas("macpie", home)


def test_tahoe_is_read_whole(tahoe):
    """3,778 conditions, 110 names of 104 parents."""
    info = tahoe.info()
    assert (info["n_conditions"], len(info["cell_lines"]), len(info["drugs"])) == (3778, 35, 110)
    assert tahoe.drugs["parent"].nunique() == 104
    assert tahoe.drug_catalog.twins("Salicylic acid") == ("Sodium Salicylate",)


def test_tahoe_conditions_stand_on_the_plates_that_the_file_names(tahoe):
    """91 drugs on plates 6 and 14; four drugs share their plate with five others alone."""
    assert (tahoe.info()["plates"], tahoe.shared_wells) == (6, "yes")
    assert tahoe.plate_deltas is None
    pairs = tahoe.plates.groupby("condition")["plate"].agg(frozenset)
    assert (pairs == {"plate6", "plate14"}).sum() == 3167
    few = other_parents(tahoe) < MIN_OTHERS
    assert few.sum() == 3778 - 3640
    drugs = tahoe.conditions["drug"][few].value_counts()
    alone = {"Trametinib", "Binimetinib", "Everolimus", "Gemcitabine"}
    assert set(drugs.index[drugs == 34]) == alone


def test_the_plate_mean_is_defined_on_ready_changes(tahoe):
    """In A549 it correlates better with the measured changes than the mean of all drugs does."""
    rows = np.flatnonzero(tahoe.conditions["cell_line"] == "A549")
    contenders = {"plate": [PlateMean()], "pool": [PoolMeans()]}
    pearson = leave_one_out(tahoe, contenders, rows)["pearson_delta"]
    assert pearson["plate"] > pearson["pool"] + 0.02


def test_measured_doses_of_cpc006_become_groups(home):
    """71 measured doses above zero, 29 groups; two plates of HT115 keep a change on each."""
    store = open_atlas("cpc006", home)
    assert store.provenance["doses_grouped"] == {"measured": 71, "groups": 29}
    assert len(store.info()["doses_um"]) == 29
    assert store.plate_deltas.shape == (len(store.plates), 955)
    per_condition = store.plates.groupby("condition")["plate"].nunique()
    line = store.conditions["cell_line"].to_numpy()[per_condition.index]
    assert (per_condition[line == "HT115"] == 2).sum() > 290
    assert (per_condition[line == "A375"] == 1).all()


def test_leave_one_out_reproduces_the_known_answers(tahoe):
    """Mean Pearson of the pool mean, chemistry, random and oracle ten, over every condition."""
    contenders = methods(tahoe, k=10, seeds=3)
    del contenders["mechanism"]
    pearson = leave_one_out(tahoe, contenders)["pearson_delta"]
    assert pearson["pool mean"] == pytest.approx(0.610, abs=0.003)
    assert pearson["chemistry"] == pytest.approx(0.588, abs=0.004)
    assert pearson["random"] == pytest.approx(0.571, abs=0.004)
    assert pearson["oracle"] == pytest.approx(0.777, abs=0.004)


def test_replaying_one_lines_answers_in_all_lines(tahoe):
    """A549's recorded LLM rankings in every line: 0.60, above chemistry and random."""
    options = LLMOptions(scope=Scope.DRUG)
    settings = Settings(home=tahoe.folder.parents[1])
    method = LGR(llm_selector(tahoe, settings, options), tahoe.drug_catalog)
    pearson = leave_one_out(tahoe, {"llm": [method]})["pearson_delta"]
    assert pearson["llm"] == pytest.approx(0.60, abs=0.005)


def test_a_batch_of_recorded_answers_gives_the_same_scores(home, tahoe, tmp_path, monkeypatch):
    """Five lines exported as Batch files, answered by a script, imported: LGR's scores."""
    monkeypatch.setenv("LGR_HOME", str(home))
    lines = ["A549", "LoVo", "HepG2/C3A", "A-172", "SW48"]
    folder, answers = tmp_path / "batch", tmp_path / "answers.jsonl"
    command = ["batch", "export", "--atlas", "tahoe_rank", "--lines", ",".join(lines)]
    assert main([*command, "--out", str(folder)]) == 0
    book = NeighborBook(neighbor_files(SHIPPED / "recorded_neighbors"), tahoe.drug_catalog)
    with answers.open("w") as out:
        for line in (folder / "requests-0001.jsonl").open():
            request = json.loads(line)
            asked = re.search(r"Anchor molecule: (.*)\nCell line: (.*)", request["body"]["input"])
            pool = candidate_pool(tahoe, Condition(asked[2], asked[1], 5.0))
            found = find_recorded(book, pool, (asked[2],), LLMOptions(), tahoe.name)
            found = found or find_recorded(book, pool, ("A549",), LLMOptions(), tahoe.name)
            ranked = enumerate(found.record.proposals[:10], start=1)
            text = "\n".join(f"{i}. {p.text}: {p.rationale}" for i, p in ranked)
            row = {"custom_id": request["custom_id"], "text": f"<Final Answer>\n{text}\n"}
            out.write(json.dumps(row) + "\n")
    assert main(["batch", "import", str(folder), str(answers)]) == 0
    options = LLMOptions(policy=Policy.REPLAY)
    selector = llm_selector(tahoe, Settings(home=home), options)
    rows = np.flatnonzero(tahoe.conditions["cell_line"].isin(lines))
    imported = leave_one_out(tahoe, {"llm": [LGR(selector, tahoe.drug_catalog)]}, rows)
    query = candidate_pool(tahoe, tahoe.condition(int(rows[0])))
    assert selector.select(query, 10).provenance["answered_by"] == "cache"
    files = LLMSelector(tahoe, LLMOptions(scope=Scope.DRUG), book=book)
    a549 = leave_one_out(tahoe, {"llm": [LGR(files, tahoe.drug_catalog)]}, rows)
    assert imported["pearson_delta"]["llm"] == pytest.approx(0.585, abs=0.03)
    assert imported["pearson_delta"]["llm"] == pytest.approx(a549["pearson_delta"]["llm"], abs=0.01)


def test_trametinib_in_lovo_has_a_mek_inhibitor_first(tahoe):
    """The mechanism selector's first neighbour is binimetinib."""
    answer = predict(tahoe, cell_line="LoVo", drug="Trametinib", selector="mechanism")
    assert answer.retrieval.drugs[0] == "Binimetinib"
    assert answer.metrics["pearson_delta"] > 0.5


def test_macpie_wells_are_compared_with_dmso(macpie):
    """95 wells, DMSO where a line has it, 26,236 genes kept, 2,000 in the panel."""
    info = macpie.info()
    provenance = info["provenance"]
    assert (provenance["unit"], info["n_genes"], info["n_panel"]) == ("well", 26236, 2000)
    assert (info["n_conditions"], info["doses_um"]) == (64, [0.1, 1.0])
    assert provenance["controls"] == {"DMSO": 7, "Media": 15}


@pytest.mark.parametrize(
    ("line", "drug", "down", "up"),
    [
        ("VOA-10841", "Trametinib", ["CCND1", "TGM2"], []),
        ("VOA-4698", "Trametinib", ["FOSL1", "CCND1", "PHLDA1", "EMP1", "DUSP4"], []),
        ("AOCS-2", "Palbociclib", ["UBE2C", "CCNB1", "CDK1", "AURKB"], []),
        ("VOA-10841", "Dox", ["CDC20"], ["GDF15", "FDXR", "TP53I3", "SFN"]),
        ("AOCS-2", "Paclitaxel", [], ["AURKA", "TPX2", "CCNB1"]),
    ],
)
def test_strong_genes_make_biological_sense(macpie, line, drug, down, up):
    """MEK, CDK4/6, topoisomerase II and microtubule inhibitors move their textbook genes."""
    row = macpie.rows(line, [drug], macpie.doses(line, drug)[0])
    delta = dict(zip(macpie.gene_names, macpie.deltas(row, all_genes=True)[0], strict=True))
    typical = np.std(list(delta.values()))
    assert all(delta[gene] < -2 * typical for gene in down)
    assert all(delta[gene] > 2 * typical for gene in up)


def test_small_pools_are_used_whole_and_said(macpie):
    """Macpie has 15 other drugs in this line, most at one dose: each at its own nearest."""
    asked = {"cell_line": "VOA-4698", "drug": "Trametinib", "dose_um": 1, "selector": "random"}
    answer = predict(macpie, **asked, k=20)
    assert answer.retrieval.k_used == len(answer.pool.drugs) == 15
    assert any("the pool holds" in note for note in answer.notes)


def test_the_shell_gives_the_same_prediction(home, tahoe, monkeypatch, capsys):
    """Python and command line agree number by number."""
    monkeypatch.setenv("LGR_HOME", str(home))
    command = ["predict", "--atlas", "tahoe_rank", "--cell-line", "LoVo", "--drug", "Trametinib"]
    assert main([*command, "--selector", "chemistry", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    answer = predict(tahoe, cell_line="LoVo", drug="Trametinib", selector="chemistry")
    assert data["delta"] == answer.prediction.delta.tolist()


@pytest.mark.parametrize(
    ("drug", "expected"), [("Pyridoxine", 0.15), ("Idarubicin", 0.25), ("Trametinib", None)]
)
def test_trust_is_in_a_new_experiment(home, tmp_path, monkeypatch, capsys, drug, expected):
    """By the calibration that ships: vitamin B6 is not green, trametinib not separable.

    In a home without the answers that other tests cache: best evidence reads those, too.
    """
    (tmp_path / "atlases").symlink_to(home / "atlases")
    monkeypatch.setenv("LGR_HOME", str(tmp_path))
    asked = ["--atlas", "tahoe_rank", "--cell-line", "LoVo", "--drug", drug]
    assert main(["predict", *asked, "--method", "best_evidence", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    if expected is None:
        assert answer["trust"] is None
        assert "5 other parents, 10 needed" in answer["trust_note"]
        return
    trust = answer["trust"]
    assert trust["light"] == "grey"
    assert trust["low"] < 0 < trust["expected_pearson"] == pytest.approx(expected, abs=0.03)
    assert "an r of 0 lies" in trust["reasons"][0]
    assert "other lines does not count" in trust["reasons"][1]


RECORDED = ("A549", "LoVo", "HepG2-C3A")
HUB_COLUMNS = ("drug=drug", "inchikey=b", "mechanism=hmoa", "targets=htar")


@pytest.fixture(scope="module")
def annotated(home, real_data, tmp_path_factory):
    """A copy of the Tahoe atlas with the curated annotation of the Drug Repurposing Hub."""
    own = tmp_path_factory.mktemp("annotated")
    shutil.copytree(home / "atlases", own / "atlases")
    file = real_data / "annotation" / "hub_annotation_for_379.csv"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LGR_HOME", str(own))
        assert main(["annotate", "tahoe_rank", "--csv", str(file), "--column", *HUB_COLUMNS]) == 0
    return own


@pytest.mark.parametrize(("line", "recall"), [*zip(RECORDED, (0.878, 0.902, 0.902), strict=True)])
def test_the_model_finds_drugs_of_the_same_mechanism(
    annotated, real_data, monkeypatch, capsys, line, recall
):
    """Of 41 drugs with another of their curated mechanism; chemistry 0.52, chance 0.09."""
    monkeypatch.setenv("LGR_HOME", str(annotated))
    file = real_data / "recorded_neighbors" / f"tahoe110_{line}.jsonl"
    asked = ["--atlas", "tahoe_rank", "--neighbors", str(file), "--lines", line.replace("-", "/")]
    assert main(["rationales", "retrieval", *asked, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["retrieval"]
    found = {(r["field"], r["pool"], r["selector"]): r for r in rows}
    llm = found["mechanism", "all", "llm"]
    assert llm["n_queries"] == 41
    assert llm["recall"] == pytest.approx(recall, abs=0.001)
    assert llm["chance"] == pytest.approx(0.092, abs=0.001)
    assert llm["minus_chemistry_low"] > 0
    assert found["mechanism", "distinct", "llm"]["minus_chemistry_low"] > 0
    assert found["mechanism", "all", "chemistry"]["recall"] == pytest.approx(0.528, abs=0.01)
    target = found["targets", "all", "llm"]
    assert target["n_queries"] == 56
    assert target["recall"] == pytest.approx(0.624, abs=0.02)


def test_answers_for_all_drugs_of_tahoe_are_scored_without_an_atlas(real_data, capsys):
    """Of 232 drugs with another of their curated mechanism among Tahoe-100M's 379; chance 0.026."""
    answers = real_data / "recorded_neighbors" / "tahoe379_A549.jsonl"
    hub = real_data / "annotation" / "hub_annotation_for_379.csv"
    asked = ["--neighbors", str(answers), "--curated", str(hub), "--column", *HUB_COLUMNS]
    assert main(["rationales", "retrieval", *asked, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["retrieval"]
    found = {(r["field"], r["pool"], r["selector"]): r for r in rows}
    llm = found["mechanism", "all", "llm"]
    assert llm["n_queries"] == 232
    assert llm["recall"] == pytest.approx(0.79, abs=0.01)
    assert llm["chance"] == pytest.approx(0.026, abs=0.001)
    assert found["mechanism", "distinct", "llm"]["minus_chemistry_low"] > 0.3
    assert found["targets", "distinct", "llm"]["minus_chemistry_low"] > 0.3


def test_direction_claims_are_borne_out_by_data_the_model_never_saw(tahoe, real_data):
    """About 53 supported and 8 contradicted; with other drugs' data half of each."""
    audit = RationaleAudit.of(tahoe)
    files = [real_data / "recorded_neighbors" / f"tahoe110_{line}.jsonl" for line in RECORDED]
    reasons = [one for file in files for one in reasons_of(tahoe, read_neighbors(file), file.name)]
    extracted = audit.extract(reasons)
    rates = audit_rates(audit, extracted, audit.table(extracted), n_permutations=10)
    row = rates.set_index("kind").loc["direction"]
    assert row["n_reasons"] == 4620
    assert 50 <= row["supported"] <= 70
    assert row["contradicted"] <= 8
    assert row["low"] > 0.6
    assert 0.35 < row["permuted_rate"] < 0.65


@pytest.mark.parametrize(
    ("file", "options", "mean_r", "nearest_r"),
    [
        ("skbr3_doses_log2fc", ["log2fc", "--time", "24"], 0.394, 0.289),
        ("skbr3_doses_log2fc", ["log2fc", "--time", "6"], 0.336, 0.223),
        ("ljp005_a375_doses_z", ["zscore"], 0.319, 0.243),
    ],
)
def test_a_dose_between_is_no_worse_than_the_mean(
    real_data, tmp_path, monkeypatch, file, options, mean_r, nearest_r
):
    """Every inner dose left out: the curve keeps up with the mean, and beats both rivals."""
    monkeypatch.setenv("LGR_HOME", str(tmp_path))
    path = real_data / "l1000" / f"l1000_{file}.h5ad"
    assert main(["ingest", str(path), "--name", "doses", "--value-kind", *options, "--json"]) == 0
    table = summary(leave_doses_out(open_atlas("doses", tmp_path))).set_index("rule")
    assert table["r"]["mean of other doses"] == pytest.approx(mean_r, abs=0.001)
    assert table["r"]["nearest dose"] == pytest.approx(nearest_r, abs=0.001)
    assert table["r"]["curve"] >= table["r"]["mean of other doses"] - 0.001
    assert table["MSE"]["curve"] <= table["MSE"]["mean of other doses"]
    assert table["r"]["curve"] > table["r"]["interpolation"] > table["r"]["nearest dose"]
    assert table["held"]["curve"] == pytest.approx(0.9, abs=0.06)
