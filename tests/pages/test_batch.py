"""Batch: checked before it runs, predicted, taken home; a link asks the same again."""

import io
import shutil
from zipfile import ZipFile

import pytest

from lgr_core.answer import predict
from lgr_core.answer.top_genes import strongest_genes
from lgr_core.atlas.unseen_drug import UnseenDrug, with_unseen_drug
from lgr_core.batch.export import write_zip
from lgr_core.batch.results import TOP
from lgr_core.config import Settings
from lgr_core.domain import Change
from lgr_core.retrieval.neighbor_files import append_neighbors
from lgr_core.retrieval.query_block import EvidenceReader
from pages.batch import batch_after, batch_asking, batch_before, batch_run, batch_table
from tests.support.calibration_runs import calibrate
from tests.support.lab_atlas import HOSTILE, UNMEASURED
from tests.support.loopback_llm import LoopbackLLM
from tests.support.rendered_page import link, text, turn

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"
QUERIES = f"Trametinib, A549\nGefitinib, LoVo, 5\n{UNMEASURED}, A549"
ASKED = {"atlas": "lab", "queries": QUERIES, "selector": "mechanism", "k": "3"}


@pytest.fixture
def batch(visit):
    """A visit to the page with that link."""

    def open_link(**link):
        return turn(visit(), "batch", **link)

    return open_link


def results(app):
    """The table of predictions, by drug."""
    tables = [frame.value for frame in app.dataframe if "Pearson r" in frame.value]
    return tables[0].set_index("drug") if tables else None


def zipped(app):
    """The files of the zip, as the button gives them."""
    job = app.session_state["batch"]
    data = write_zip(job.many, job.reading.refused, about=batch_after.about(job))
    with ZipFile(io.BytesIO(data)) as file:
        return {name: file.read(name) for name in file.namelist()}


def test_an_empty_page_says_what_to_do_and_offers_an_example(batch):
    """A click fills the box, and the queries of the example are all good."""
    app = batch(atlas="lab", selector="mechanism")
    assert "Paste queries" in text(app)
    assert not [b for b in app.button if b.key == "batch_run"]
    app.button(key="batch_example").click().run()
    page = text(app)
    assert "<th>lines refused</th><td>0</td>" in page
    assert app.button(key="batch_run").label == "Predict 12 queries"


def test_the_dry_run_counts_and_predicts_nothing(batch):
    """Queries, measured ones, refused lines with the nearest names, repeats."""
    app = batch(**{**ASKED, "queries": f"{QUERIES}\nTrametinib, a549\nTrametinip, A549"})
    page = text(app)
    assert "<th>queries</th><td>3</td>" in page
    assert "<th>measured too</th><td>2: " in page
    assert "<th>lines refused</th><td>1</td>" in page
    assert "<th>asked twice</th><td>1, taken once</td>" in page
    refused = app.dataframe[0].value
    assert refused["line"].tolist() == ["Trametinip, A549"]
    assert "Trametinib" in refused["what to do"].iloc[0]
    assert results(app) is None


def test_what_is_shown_is_what_the_core_predicts(batch, lab):
    """The same Pearson r as one by one; each row leads to its prediction."""
    app = batch(**ASKED)
    app.button(key="batch_run").click().run()
    page = text(app)
    assert "<b>3 of 3</b> queries are predicted" in page
    assert "(n = 2 measured)" in page
    table = results(app)
    one = predict(lab, cell_line="LoVo", drug="Gefitinib", dose_um=5.0, k=3)
    assert table.loc["Gefitinib", "Pearson r"] == pytest.approx(one.metrics["pearson_delta"])
    assert table.loc["Gefitinib", "neighbours"] == f"{one.retrieval.k_used} of 3"
    assert table["Pearson r"].isna().tolist() == [False, False, True]
    assert table.loc["Gefitinib", "predict"] == (
        "./?atlas=lab&cell_line=LoVo&drug=Gefitinib&dose=5&selector=mechanism&k=3&change=total"
    )


def test_new_drugs_are_predicted_and_lead_to_their_predictions(batch, lab):
    """By a structure in place of the name, by a mechanism; the same as one by one."""
    queries = f"{ASPIRIN}, A549\nMy drug, LoVo, 5, MEK inhibitor\nNonsense, A549\nTrametinib, A549"
    app = batch(**{**ASKED, "queries": queries, "selector": "chemistry"})
    page = text(app)
    assert "<th>new drugs</th><td>2: " in page
    assert "New compound 1 is not in this atlas" in page
    app = batch(**{**ASKED, "queries": queries})
    app.button(key="batch_run").click().run()
    table = results(app)
    assert table.index.tolist() == ["New compound 1", "My drug", "Nonsense, A549", "Trametinib"]
    why = table[batch_table.WHY_NOT]
    assert [bool(words) for words in why] == [False, False, True, False]
    assert "no such drug" in why["Nonsense, A549"]
    wider = with_unseen_drug(lab, UnseenDrug("My drug", "", "MEK inhibitor"))
    one = predict(wider, cell_line="LoVo", drug="My drug", dose_um=5.0, k=3)
    assert one.retrieval.k_used == 3
    assert table.loc["My drug", "neighbours"] == "3 of 3"
    assert table["chosen by"].tolist() == ["Chemistry", "Mechanism", "", "Mechanism"]
    up = one.genes[strongest_genes(one, TOP, sure=True)[0]]
    assert table.loc["My drug", "up"] == " ".join(up.tolist())
    assert "&new=1&moa=MEK+inhibitor" in table.loc["My drug", "predict"]
    assert "My drug (MEK inhibitor)" in zipped(app)["README.txt"].decode()


def test_the_genes_are_those_of_the_specific_change(batch, lab):
    """Where it is asked for, as are the scores; what has none says why beside its row."""
    app = batch(**ASKED, change="specific")
    assert link(app)["change"] == "specific"
    assert "; the specific change</td>" in text(app)
    app.button(key="batch_run").click().run()
    table = results(app)
    reader = EvidenceReader(lab, change=Change.SPECIFIC)
    asked = {"cell_line": "A549", "drug": "Trametinib", "k": 3, "change": Change.SPECIFIC}
    one = predict(lab, **asked, reader=reader)
    assert table.loc["Trametinib", "Pearson r"] == pytest.approx(one.metrics["pearson_specific"])
    up = one.genes[strongest_genes(one, TOP, sure=True)[0]]
    assert table.loc["Trametinib", "up"] == " ".join(up.tolist())
    assert "plate" in table.loc["Gefitinib", batch_table.WHY_NOT]
    assert "change" not in table.loc["Trametinib", "predict"]
    app.segmented_control(key="change").set_value("total").run()
    assert "change" not in link(app)


def test_forms_of_one_compound_are_counted_once_on_demand(batch, toy):
    """As on Predict: in the predictions, in their links, in the link of the page and in the zip."""
    asked = {"atlas": "toy", "queries": "Trametinib, A549", "selector": "chemistry", "k": "10"}
    app = batch(**asked)
    app.segmented_control(key="once").select("1").run()
    assert "the first form of a compound counts</td>" in text(app)
    assert link(app)["once"] == "1"
    app.button(key="batch_run").click().run()
    ours = results(app).loc["Trametinib"]
    how = {"drug": "Trametinib", "selector": "chemistry", "k": 10}
    once = predict(toy, cell_line="A549", **how, one_per_parent=True)
    each = predict(toy, cell_line="A549", **how)
    assert once.retrieval.drugs != each.retrieval.drugs
    assert ours["Pearson r"] == pytest.approx(once.metrics["pearson_delta"])
    assert "&once=1" in ours["predict"]
    assert b"the first form of a compound counts" in zipped(app)["README.txt"]


def test_best_evidence_answers_a_batch(batch, lab):
    """As the core does; its rows say on what they stand and lead to predictions by it."""
    app = batch(**ASKED, method="best_evidence")
    assert "<th>predicted from</th><td>Best evidence</td>" in text(app)
    assert not [box for box in app.selectbox if box.key == "selector"]
    app.button(key="batch_run").click().run()
    page, row = text(app), results(app).loc["Gefitinib"]
    assert "<b>3 of 3</b> queries are predicted" in page
    assert page.count("Trust: Not known: no benchmark run") == 1
    one = predict(lab, cell_line="LoVo", drug="Gefitinib", dose_um=5.0, method="best_evidence")
    assert row["Pearson r"] == pytest.approx(one.metrics["pearson_delta"], rel=1e-4)
    assert row["measured changes"] == sum(term.n for term in one.terms)
    assert row["stands on"].startswith("the drug in other lines")
    assert "&method=best_evidence&" in row["predict"] + "&"
    assert not {"neighbours", "chosen by", "expected r"} & set(results(app))
    assert text(batch(**link(app))) == text(batch(**ASKED, method="best_evidence"))
    readme = zipped(app)["README.txt"].decode()
    assert "best_evidence" in readme
    assert "weights.jsonl" in zipped(app)


@pytest.mark.parametrize("method", ["lgr", "best_evidence"])
def test_what_is_expected_stands_beside_what_was_measured(
    batch, lab, lab_home, monkeypatch, tmp_path, method
):
    """Where a benchmark run has calibrated the method: in a sentence, as columns, in the file."""
    (tmp_path / "atlases").symlink_to(lab_home / "atlases")
    calibrate(tmp_path / "runs" / "a_run", lab, methods=("best_evidence", "lgr_mechanism"), k=3)
    monkeypatch.setenv("LGR_HOME", str(tmp_path))
    app = batch(**ASKED, method=method)
    app.button(key="batch_run").click().run()
    assert "Trust is high for 0, some for 0, not known for 3" in text(app)
    assert "mean expected Pearson r <b>0.80</b>" in text(app)
    row = results(app).loc["Gefitinib"]
    assert (row["expected r"], row["90 % limits"], row["trust"]) == (
        pytest.approx(0.8),
        "0.70 to 0.90",
        "not known",
    )
    assert b"expected_pearson" in zipped(app)["summary.csv"]


def test_the_method_of_predict_is_that_of_the_batch(visit):
    """By the bar and by the link, and back again."""
    app = visit(atlas="lab", drug="Afatinib", method="best_evidence")
    (way,) = [way.proto for way in app.get("page_link") if way.proto.page == "batch"]
    assert way.query_string == "atlas=lab&method=best_evidence"
    app.query_params.clear()
    app.switch_page("pages/views/batch.py").run()
    assert app.selectbox(key="method").value == "best_evidence"
    app.selectbox(key="method").select("lgr").run()
    assert "method" not in link(app)
    app.query_params.clear()
    app.switch_page("pages/views/predict.py").run()
    assert app.selectbox(key="method").value == "lgr"


def test_the_zip_holds_the_batch(batch):
    """Whatever was predicted, and the lines that were not."""
    app = batch(**{**ASKED, "queries": f"{QUERIES}\nNonsense, A549"})
    app.button(key="batch_run").click().run()
    files = zipped(app)
    assert "Nonsense, A549" in files["refused.csv"].decode()
    assert files["summary.csv"].decode().count("\n") == 4
    said = "Neighbours (LGR, the paper’s): 3, chosen by Mechanism"  # noqa: RUF001
    assert said in files["README.txt"].decode()


def test_lists_are_crossed(batch):
    """The word all stands for every name."""
    app = batch(atlas="lab", selector="chemistry", all_drugs="all", all_lines="LoVo", at_dose="5")
    assert app.button(key="batch_run").label == "Predict 18 queries"
    assert link(app)["form"] == "cross"
    assert "queries" not in link(app)


def test_a_link_asks_the_same_again(batch):
    """Every field of it; the list is in the address."""
    app = batch(**ASKED)
    again = batch(**link(app))
    assert text(again) == text(app)
    assert link(again) == {**ASKED, "form": "list"}


def test_a_long_list_is_kept_for_the_visit_but_not_in_the_link(batch):
    """It survives a look at another page."""
    long = QUERIES + "\nTrametinib, LoVo" * 100
    app = batch(**{**ASKED, "queries": QUERIES})
    app.text_area(key="queries").input(long)
    app.button(key="FormSubmitter:batch_list-Check the list").click().run()
    assert "queries" not in link(app)
    assert batch_asking.NO_LINK in text(app)
    app.switch_page("pages/views/find.py").run()
    app.switch_page("pages/views/batch.py").run()
    assert app.text_area(key="queries").value == long
    assert "<th>queries</th><td>4</td>" in text(app)


def test_results_survive_a_look_at_another_page(batch):
    """And a change of the list leads back to them."""
    app = batch(**ASKED)
    app.button(key="batch_run").click().run()
    app.switch_page("pages/views/browse.py").run()
    app.switch_page("pages/views/batch.py").run()
    assert results(app) is not None
    app.text_area(key="queries").input("Trametinib, LoVo")
    app.button(key="FormSubmitter:batch_list-Check the list").click().run()
    assert results(app) is None
    app.button(key="batch_back").click().run()
    assert app.text_area(key="queries").value == QUERIES
    assert len(results(app)) == 3


def test_a_stopped_batch_goes_on(batch, monkeypatch):
    """What was done stays; the rest comes on demand."""
    predict_all = batch_run.BatchRun.predict

    def stopped(self, ask, *, cancel):
        def ask_and_stop(pools):
            cancel.set()
            return ask(pools)

        predict_all(self, ask if self.outcomes else ask_and_stop, cancel=cancel)

    monkeypatch.setattr(batch_run.BatchRun, "predict", stopped)
    app = batch(**ASKED)
    app.button(key="batch_run").click().run()
    assert "<b>2 of 3</b>" in text(app)
    app.button(key="batch_go_on").click().run()
    assert "<b>3 of 3</b>" in text(app)


def test_too_many_queries_are_refused_with_the_limit(batch, monkeypatch):
    """Nothing can be started."""
    monkeypatch.setattr(batch_before, "most_queries", lambda _: 2)
    app = batch(**ASKED)
    assert "3 queries" in text(app)
    assert "this page takes 2" in text(app)
    assert app.button(key="batch_run").disabled


def test_a_bad_link_explains_itself(batch):
    """One box, and the way to the nearest."""
    wrong = {"selector": "magic", "form": "circle", "rest": "guess", "method": "oracular"}
    app = batch(**{**ASKED, **wrong})
    page = text(app)
    assert "This link cannot be shown as it is" in page
    assert all(word in page for word in wrong.values())
    app.button(key="nearest").click().run()
    assert app.button(key="batch_run").label == "Predict 3 queries"


def test_an_atlas_that_is_not_there_is_said(batch):
    """With the nearest one."""
    assert "atlas &#x27;nowhere&#x27;" in text(batch(**{**ASKED, "atlas": "nowhere"}))


@pytest.mark.parametrize("drug", HOSTILE)
def test_hostile_names_are_shown_as_they_are(batch, drug):
    """In notes, table and refusals nothing of them is markup."""
    app = batch(**{**ASKED, "queries": f"{drug}, LoVo\n{drug}{drug}, A549"})
    app.button(key="batch_run").click().run()
    assert "<img src=x" not in text(app)
    assert results(app).index.tolist() == [drug, f"{drug}{drug}, A549"]


# -- language models -------------------------------------------------------------------------------


@pytest.fixture
def answered(lab, lab_home, tmp_path, monkeypatch):
    """A language model has answered for Trametinib in A549 alone: nothing that ships counts."""
    folders = property(lambda settings: (settings.home / "neighbors", tmp_path))
    monkeypatch.setattr(Settings, "neighbor_folders", folders)
    found = predict(lab, cell_line="A549", drug="Trametinib", dose_um=5.0, k=3).retrieval
    path = lab_home / "neighbors" / "told.jsonl"
    append_neighbors(path, found, source="a model")
    yield
    path.unlink()


def test_unanswered_queries_are_counted_priced_and_left_out(batch, answered, monkeypatch):
    """They are in the table with the reason."""
    monkeypatch.setenv("LGR_LLM_MODEL", "gpt-5.2-2025-12-11")
    app = batch(**{**ASKED, "selector": "llm"})
    page = text(app)
    assert "1 of 3 queries are remembered" in page
    assert "<th>questions to ask</th><td>2</td>" in page
    assert "at most $" in page
    monkeypatch.setenv("LGR_LLM_BASE_URL", "http://localhost:8000/v1")
    local = text(batch(**{**ASKED, "selector": "llm"}))
    assert "price unknown" in local
    assert "at most $" not in local
    monkeypatch.delenv("LGR_LLM_BASE_URL")
    app.button(key="batch_run").click().run()
    table = results(app)
    assert "<b>1 of 3</b> queries are predicted, 2 could not be" in text(app)
    assert table.loc["Trametinib", "chosen by"] == "Language model"
    assert "no language model has answered" in table.loc["Gefitinib", batch_table.WHY_NOT]
    assert table.loc["Trametinib", batch_table.WHY_NOT] == ""


def test_the_stand_in_is_labelled(batch, answered):
    """Chosen by mechanism, and said so."""
    app = batch(**{**ASKED, "selector": "llm", "rest": "mechanism"})
    app.button(key="batch_run").click().run()
    table = results(app)
    assert table["chosen by"].tolist() == ["Language model", "Mechanism", "Mechanism"]


def test_asking_now_needs_a_key(batch, monkeypatch):
    """Without one nothing can be started; the operator's needs a budget."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("LGR_LLM_BASE_URL", raising=False)
    app = batch(**{**ASKED, "selector": "llm", "rest": "ask"})
    assert app.button(key="batch_run").disabled
    app.text_input(key="batch_key").input("sk-visitor").run()
    assert not app.button(key="batch_run").disabled
    assert "sk-visitor" not in str(link(app))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-operator")
    monkeypatch.delenv("LGR_LLM_BUDGET_USD", raising=False)
    app = batch(**{**ASKED, "selector": "llm", "rest": "ask"})
    assert "no budget is set" in text(app)
    assert app.button(key="batch_run").disabled
    monkeypatch.setenv("LGR_LLM_BUDGET_USD", "1")
    assert not batch(**{**ASKED, "selector": "llm", "rest": "ask"}).button(key="batch_run").disabled


def test_a_model_is_asked_for_what_is_open_and_its_answers_are_used(
    batch, answered, monkeypatch, lab_home
):
    """Only as many questions as were allowed, each of them once."""
    with LoopbackLLM(lambda _: "1. Erlotinib: the same target.\n2. Afatinib: too.") as server:
        monkeypatch.setenv("LGR_LLM_BASE_URL", server.url)
        app = batch(**{**ASKED, "selector": "llm", "rest": "ask"})
        app.number_input(key="batch_questions").set_value(1).run()
        app.button(key="batch_run").click().run()
        page = text(app)
        asked = len(server.history)
    shutil.rmtree(lab_home / "cache")
    assert asked == 1
    assert "The language model answered 1 questions now" in page
    table = results(app)
    assert table["chosen by"].tolist() == ["Language model", "Language model", ""]
    assert table.loc["Gefitinib", "neighbours"] == "2 of 3"
