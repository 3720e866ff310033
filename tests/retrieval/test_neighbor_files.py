"""Neighbour files: the paper's form, written by us, read from anyone."""

import json
import multiprocessing

import pytest

from lgr_core.domain import Condition, Neighbor, Reason, Rejected, Retrieval
from lgr_core.errors import InputError
from lgr_core.retrieval.neighbor_files import append_neighbors, read_neighbors

FOUND = Retrieval(
    Condition("HepG2/C3A", "Trametinib", 5.0),
    "mechanism",
    10,
    6,
    (Neighbor("Cobimetinib", 1, 0.5, "Both MEK inhibitors."), Neighbor("18β-acid", 2)),
    (Rejected("Aspirin", Reason.OUT_OF_POOL),),
    raw="raw",
)


def test_a_written_file_has_the_papers_keys(tmp_path):
    """Each line carries the paper's fields and ours."""
    path = tmp_path / "n.jsonl"
    append_neighbors(path, FOUND)
    line = json.loads(path.read_text())
    assert (line["target_cell_type"], line["target_molecule"]) == ("HepG2/C3A", "Trametinib")
    assert line["neighbors"][0]["molecule"] == "Cobimetinib"
    assert line["neighbors"][1] == {"molecule": "18β-acid", "score": None, "justification": ""}
    assert (line["k_used"], line["rejected"][0]["reason"]) == (2, "out_of_pool")


def test_what_is_written_is_read_back(tmp_path):
    """Names, reasons, scores and dose survive."""
    path = tmp_path / "n.jsonl"
    append_neighbors(path, FOUND)
    append_neighbors(path, FOUND)
    first, second = read_neighbors(path)
    assert first == second
    assert (first.cell_line, first.drug, first.dose_um) == ("HepG2/C3A", "Trametinib", 5.0)
    assert [(p.text, p.score) for p in first.proposals] == [
        ("Cobimetinib", 0.5),
        ("18β-acid", None),
    ]
    assert first.proposals[0].rationale == "Both MEK inhibitors."


def test_the_bare_form_is_enough(tmp_path):
    """Somebody else's file needs line, drug and molecules only."""
    path = tmp_path / "n.jsonl"
    bare = {"target_cell_type": "A549", "target_molecule": "x", "neighbors": [{"molecule": "y"}]}
    path.write_text(json.dumps(bare) + "\n\n")
    (record,) = read_neighbors(path)
    assert (record.dose_um, record.proposals[0].text, record.proposals[0].score) == (
        None,
        "y",
        None,
    )


def test_a_cut_last_line_is_skipped_with_a_warning_and_repaired(tmp_path, caplog):
    """A killed writer costs its own line only."""
    path = tmp_path / "n.jsonl"
    append_neighbors(path, FOUND)
    whole = path.read_text()
    path.write_text(whole + whole[:40])
    assert len(list(read_neighbors(path))) == 1
    assert "cut off" in caplog.text
    append_neighbors(path, FOUND)
    assert path.read_text() == whole * 2


def test_a_whole_last_line_without_its_end_is_kept(tmp_path):
    """Only the newline was missing."""
    path = tmp_path / "n.jsonl"
    append_neighbors(path, FOUND)
    path.write_text(path.read_text().rstrip("\n"))
    append_neighbors(path, FOUND)
    assert len(list(read_neighbors(path))) == 2


@pytest.mark.parametrize("bad", ["[1, 2]", '{"target_cell_type": "A549"}', "no json"])
def test_a_bad_line_in_the_middle_is_refused_with_its_number(tmp_path, bad):
    """Silence there would lose queries."""
    path = tmp_path / "n.jsonl"
    append_neighbors(path, FOUND)
    path.write_text(bad + "\n" + path.read_text())
    with pytest.raises(InputError, match="line 1 is no neighbour record"):
        list(read_neighbors(path))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("score", '"high"'),
        ("score", "NaN"),
        ("score", "true"),
        ("score", "1" + 400 * "0"),
        ("molecule", "null"),
        ("molecule", '" "'),
    ],
)
def test_a_value_that_is_none_is_refused_also_in_the_last_line(tmp_path, field, value):
    """One clear error, not a crash later; a whole line is never taken for a cut one."""
    path = tmp_path / "n.jsonl"
    item = '{"molecule": "x", "%s": %s}' % (field, value)  # noqa: UP031 - braces abound
    start = '{"target_cell_type": "A549", "target_molecule": "y", "neighbors": ['
    path.write_text(f"{start}{item}]}}")
    with pytest.raises(InputError, match="line 1 is no neighbour record"):
        list(read_neighbors(path))


def test_a_dose_that_is_no_number_is_refused(tmp_path):
    """As a score is."""
    path = tmp_path / "n.jsonl"
    record = {"target_cell_type": "A549", "target_molecule": "x", "neighbors": [], "dose_um": "5"}
    path.write_text(json.dumps(record) + "\n")
    with pytest.raises(InputError, match="dose_um '5' is no number"):
        list(read_neighbors(path))


def test_a_line_nested_too_deep_is_refused(tmp_path):
    """Whatever it is, it is no record."""
    path = tmp_path / "n.jsonl"
    path.write_text("[" * 100_000 + "\n")
    with pytest.raises(InputError, match="line 1"):
        list(read_neighbors(path))


def test_a_missing_file_is_refused(tmp_path):
    """One clear error."""
    with pytest.raises(InputError, match="neighbour file"):
        list(read_neighbors(tmp_path / "none.jsonl"))


def _write_many(path):
    for _ in range(50):
        append_neighbors(path, FOUND)


def test_several_processes_append_whole_lines(tmp_path):
    """Four writers at once: every line is whole."""
    path = tmp_path / "n.jsonl"
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_write_many, args=(path,)) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [w.exitcode for w in writers] == [0] * 4
    assert len(list(read_neighbors(path))) == 200


@pytest.mark.real
def test_recorded_answers_are_read(real_data):
    """Every drug of a file is a query about the others; every neighbour has a reason."""
    paths = sorted((real_data / "recorded_neighbors").glob("*.jsonl"))
    assert paths
    for path in paths:
        lines = [json.loads(text) for text in path.read_text("utf-8").splitlines()]
        records = list(read_neighbors(path))
        assert len(records) == lines[0]["n_candidates"] + 1
        assert len({record.drug for record in records}) == len(records)
        for line, record in zip(lines, records, strict=True):
            assert [p.text for p in record.proposals] == [n["molecule"] for n in line["neighbors"]]
            assert all(p.rationale for p in record.proposals)
