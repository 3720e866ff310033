"""Batch files: sharded, answered by the service or by other means, imported as often as liked."""

import json
import threading

import pytest

from lgr_core.cli import main
from lgr_core.domain import Condition
from lgr_core.errors import InputError, ServiceError
from lgr_core.llm.cache import AnswerCache
from lgr_core.llm.endpoint import Service
from lgr_core.retrieval.candidate_pool import candidate_pool
from lgr_core.retrieval.llm_question import LLMOptions
from lgr_core.retrieval.llm_selector import LLMSelector
from lgr_core.retrieval.openai_batch.answers import import_batch
from lgr_core.retrieval.openai_batch.export import Manifest, custom_id, export_batch
from lgr_core.retrieval.openai_batch.submit import submit
from tests.support.loopback_llm import FakeClient, LoopbackLLM
from tests.support.toy_atlas import DRUGS, LINES

GOOD = "<Final Answer>\n1. Cobimetinib: alike.\n2. Vorinostat: alike.\n</Final Answer>"


@pytest.fixture
def pools(toy):
    """The pools of every drug in A549 at 5 uM."""
    return [candidate_pool(toy, Condition("A549", drug, 5.0)) for drug in sorted(DRUGS)]


@pytest.fixture
def selector(toy, tmp_path):
    """A replaying selector with a cache of its own."""
    return LLMSelector(toy, LLMOptions(), cache=AnswerCache(tmp_path / "cache"))


@pytest.fixture
def export(toy, selector, pools, tmp_path):
    """Write the batch folder; returns what was written."""

    def run(name="batch", limits=(50_000, 200_000_000), service=None):
        service = Service.at(None) if service is None else service
        folder, identity = tmp_path / name, ("toy", toy.build_id)
        return export_batch(selector, service, pools, 10, folder, atlas=identity, limits=limits)

    return run


def lines(folder, *names):
    """The records of a folder's files."""
    return [json.loads(line) for name in names for line in (folder / name).open()]


def test_each_line_is_a_request_of_the_papers_kind(export):
    """Endpoint, body and id are what the Batch API takes."""
    found = export()
    assert (found.questions, found.shards) == (len(DRUGS), ("requests-0001.jsonl",))
    line = lines(found.folder, *found.shards)[0]
    assert (line["method"], line["url"]) == ("POST", "/v1/responses")
    body = line["body"]
    assert (body["temperature"], body["reasoning"], body["store"]) == (0, {"effort": "none"}, False)
    assert "Anchor molecule: Cobimetinib" in body["input"]
    assert line["custom_id"].startswith("lgr-")
    assert len(line["custom_id"]) <= 64


def test_a_compatible_server_gets_chat_requests(export):
    """The other endpoint, the other body."""
    found = export(service=Service.at("http://127.0.0.1:1/v1"))
    line = lines(found.folder, *found.shards)[0]
    assert line["url"] == "/v1/chat/completions"
    assert line["body"]["messages"][0]["role"] == "user"


@pytest.mark.parametrize("limits", [(3, 10**9), (50_000, 6_000)])
def test_shards_keep_under_both_limits(export, limits):
    """By requests and by bytes; no question is lost or doubled."""
    found = export(limits=limits)
    assert len(found.shards) > 1
    for shard in found.shards:
        content = (found.folder / shard).read_bytes()
        assert len(content) <= limits[1]
        assert content.count(b"\n") <= limits[0]
    ids = [line["custom_id"] for line in lines(found.folder, *found.shards)]
    assert len(set(ids)) == len(ids) == len(DRUGS)


def test_ids_are_the_same_at_every_export(export):
    """An answer to the first export fits the second."""
    first, second = export("one"), export("two")
    assert lines(first.folder, *first.shards) == lines(second.folder, *second.shards)


def test_a_used_folder_is_refused(export):
    """Nothing is overwritten."""
    export()
    with pytest.raises(InputError, match="not empty"):
        export()


def test_the_manifest_says_what_was_asked(export, selector, pools):
    """Options and queries come back as they went in."""
    manifest = Manifest.read(export().folder)
    assert manifest.options == selector.options
    assert manifest.queries == tuple(pool.query for pool in pools)
    with pytest.raises(InputError, match="manifest cannot be read"):
        Manifest.read(export("other").folder.parent)


def answers(found, tmp_path, make):
    """An answer file, by a function of each request line."""
    path = tmp_path / "answers.jsonl"
    rows = [make(i, line) for i, line in enumerate(lines(found.folder, *found.shards))]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows if row is not None))
    return path


def test_a_partly_failed_batch_is_imported_and_accounted_for(export, selector, pools, tmp_path):
    """Good, failed, refused, unreadable, foreign and missing answers; a repeat adds nothing."""

    def make(i, line):
        body = {"output": [{"type": "message", "content": [{"type": "output_text", "text": GOOD}]}]}
        rows = {
            0: {"error": {"code": "batch_expired", "message": "too late"}},
            1: {"response": {"status_code": 400, "body": {"error": {"message": "bad"}}}},
            2: {"text": "I cannot help."},
            3: None,
            4: {"text": GOOD},
            5: {"response": {"status_code": 200, "body": body | {"status": "completed"}}},
            6: {"custom_id": "somebody-else", "text": GOOD},
        }
        return rows[i] if rows[i] is None else {"custom_id": line["custom_id"], **rows[i]}

    path = answers(export(), tmp_path, make)
    report = import_batch(selector, pools, 10, [path])
    assert (report.answered, report.repeated, report.unknown) == (2, 0, 1)
    assert (len(report.failed), report.missing) == (3, 5)
    assert any("too late" in why for _, why in report.failed)
    again = import_batch(selector, pools, 10, [path])
    assert (again.answered, again.repeated, again.missing) == (0, 2, 5)
    assert len(selector.answers.cache) == 2


def test_a_new_export_holds_what_is_still_missing(export, selector, pools, tmp_path):
    """Answered questions are left out."""
    first = export()
    path = answers(
        first,
        tmp_path,
        lambda i, line: {"custom_id": line["custom_id"], "text": GOOD} if i < 4 else None,
    )
    import_batch(selector, pools, 10, [path])
    second = export("two")
    assert (second.questions, second.remembered) == (len(DRUGS) - 4, 4)


def test_names_with_line_separators_do_not_break_lines(selector, pools, tmp_path):
    """U+2028 in a text is no end of a line."""
    question = selector.questions(pools[0], 10)[0]
    row = {"custom_id": custom_id(question), "text": GOOD.replace("alike", "a\u2028b")}
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(row, ensure_ascii=False) + "\n", encoding="utf-8")
    assert import_batch(selector, pools, 10, [path]).answered == 1


MALFORMED = {
    "no json": "no JSON",
    '"text"': "no object",
    '{"text": "1. Cobimetinib: x"}': "no custom_id",
    '{"custom_id": {"a": 1}, "text": "x"}': "no custom_id",
    "[" * 100_000: "no JSON",
    '{"custom_id": ID, "response": "str"}': "no response object",
    '{"custom_id": ID, "response": [200]}': "no response object",
    '{"custom_id": ID, "response": null}': "no text",
    '{"custom_id": ID}': "no text",
    b'{"custom_id": "\xff"}': "no JSON",
}


@pytest.mark.parametrize(("line", "why"), MALFORMED.items(), ids=range(len(MALFORMED)))
def test_a_malformed_line_is_named_and_costs_no_other(selector, pools, tmp_path, line, why):
    """Its file and line number are told; the good answer after it is taken."""
    first, second = (selector.questions(pool, 10)[0] for pool in pools[:2])
    data = line if isinstance(line, bytes) else line.replace("ID", f'"{custom_id(first)}"').encode()
    good = json.dumps({"custom_id": custom_id(second), "text": GOOD}).encode()
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\n" + data + b"\n" + good)
    report = import_batch(selector, pools, 10, [path])
    assert (report.answered, report.failed) == (1, [])
    [(place, told)] = report.malformed
    assert (place, why in told) == ("a.jsonl line 2", True)


def test_an_answer_file_that_is_not_there_is_refused(selector, pools, tmp_path):
    """One clear error."""
    with pytest.raises(InputError, match="answer file"):
        import_batch(selector, pools, 10, [tmp_path / "none.jsonl"])


def test_half_a_character_does_not_end_an_import(selector, pools, tmp_path):
    """JSON may hold what UTF-8 cannot; the answer is kept with a question mark there."""
    question = selector.questions(pools[0], 10)[0]
    path = tmp_path / "a.jsonl"
    row = {"custom_id": custom_id(question), "text": GOOD.replace("alike", "a\ud800b")}
    path.write_text(json.dumps(row) + "\n")
    assert import_batch(selector, pools, 10, [path]).answered == 1
    assert "a?b" in selector.answers.remembered(question).text


def test_what_an_answer_by_other_means_cost_is_not_known(selector, pools, tmp_path):
    """No cost is stated where no tokens were counted, nor for the Batch API, which is cheaper."""
    first, second = (selector.questions(pool, 10)[0] for pool in pools[:2])
    message = {"type": "message", "content": [{"type": "output_text", "text": GOOD}]}
    body = {"output": [message], "usage": {"input_tokens": 400, "output_tokens": 10}}
    rows = [
        {"custom_id": custom_id(first), "text": GOOD},
        {"custom_id": custom_id(second), "response": {"status_code": 200, "body": body}},
    ]
    path = tmp_path / "a.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    import_batch(selector, pools, 10, [path])
    costs = [record["cost_usd"] for record in selector.answers.cache.records()]
    assert costs == [None, None]


class Uploads:
    """A batch service that counts what is started, and may fail at a shard."""

    def __init__(self, fails_at=None):
        self.started, self.fails_at = [], fails_at

    def start_batch(self, path, endpoint):
        """An id; the file is not read."""
        if path.name == self.fails_at:
            raise ServiceError("x", "down", "y")
        self.started.append(path.name)
        return f"batch-{path.name}"


def test_a_broken_submission_goes_on_where_it_stopped(export):
    """A shard whose id is written down is not started again."""
    found = export(limits=(3, 10**9))
    manifest, client = Manifest.read(found.folder), Uploads(fails_at=found.shards[1])
    with pytest.raises(ServiceError):
        submit(found.folder, manifest, client)
    client.fails_at = None
    submit(found.folder, manifest, client)
    assert client.started == list(found.shards)
    assert not (found.folder / "submitting.lock").exists()


def test_two_submissions_at_once_start_each_shard_once(export):
    """The second waits, then finds the ids of the first."""
    found = export(limits=(3, 10**9))
    manifest, client = Manifest.read(found.folder), Uploads()
    runs = [
        threading.Thread(target=submit, args=(found.folder, manifest, client)) for _ in range(4)
    ]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert client.started == list(found.shards)


@pytest.mark.parametrize("text", ['{"requests-0001.jsonl": "bat', "[1, 2]"])
def test_lost_batch_ids_are_no_licence_to_pay_again(export, text):
    """An unreadable list of ids is refused, not taken for empty."""
    found, client = export(), Uploads()
    (found.folder / "submitted.json").write_text(text)
    with pytest.raises(InputError, match="paid again"):
        submit(found.folder, Manifest.read(found.folder), client)
    assert client.started == []


def test_the_fake_client_and_batches_share_a_key(toy, tmp_path, pools):
    """An imported answer is found by a live selector of the same provider."""
    cache = AnswerCache(tmp_path / "cache")
    client = FakeClient()
    client.provider = "openai"
    live = LLMSelector(toy, LLMOptions(policy="fill"), cache=cache, client=client)
    replay = LLMSelector(toy, LLMOptions(), cache=cache)
    assert live.questions(pools[0], 10)[0].key == replay.questions(pools[0], 10)[0].key


@pytest.fixture
def shell(toy_home, tmp_path, monkeypatch, capsys):
    """Run ``lgr`` with a home of its own that shares the toy atlas."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "atlases").symlink_to(toy_home / "atlases")
    monkeypatch.setenv("LGR_HOME", str(home))

    def run(*arguments):
        code = main([str(a) for a in arguments])
        out, err = capsys.readouterr()
        return code, json.loads(out) if out.startswith(("{", "[")) else out, err

    return run


def test_export_submit_status_import_from_the_shell(shell, tmp_path, monkeypatch):
    """The whole way over real HTTP; then the selector replays the imported answers."""
    folder = tmp_path / "batch"
    with LoopbackLLM(lambda _: GOOD) as server:
        monkeypatch.setenv("LGR_LLM_BASE_URL", server.url)
        flags = ["--atlas", "toy", "--lines", "A549", "--dose", 5]
        code, found, _ = shell("batch", "export", *flags, "--out", folder, "--json")
        assert (code, found["questions"]) == (0, len(DRUGS))
        assert shell("batch", "import", folder)[0] == 3, "nothing was submitted yet"
        assert shell("batch", "submit", folder, "--json")[0] == 0
        once = len(server.history)
        assert shell("batch", "submit", folder, "--json")[0] == 0
        assert len(server.history) == once, "what is submitted is not submitted again"
        assert shell("batch", "status", folder, "--json")[1][0]["status"] == "completed"
        _, report, _ = shell("batch", "import", folder, "--json")
        assert (report["answered"], report["missing"]) == (len(DRUGS), 0)
        question = ["--atlas", "toy", "--cell-line", "A549", "--drug", "Trametinib", "--dose", 5]
        _, answer, _ = shell("predict", *question, "--selector", "llm", "--json")
    assert [n["drug"] for n in answer["neighbors"]] == ["Cobimetinib", "Vorinostat"]
    assert answer["provenance"]["selector"]["answered_by"] == "cache"


def test_an_import_for_another_service_is_refused(shell, tmp_path, monkeypatch):
    """Its answers have other keys: every line would be foreign."""
    folder = tmp_path / "batch"
    shell("batch", "export", "--atlas", "toy", "--lines", "A549", "--out", folder)
    monkeypatch.setenv("LGR_LLM_BASE_URL", "http://127.0.0.1:9/v1")
    for action in ("import", "submit", "status"):
        code, _, err = shell("batch", action, folder)
        assert (code, "exported for openai" in err) == (3, True), action


def test_an_atlas_built_anew_is_said_and_what_fits_is_taken(shell, tmp_path):
    """Paid answers are not thrown away: those whose question is the same still count."""
    folder = tmp_path / "batch"
    shell("batch", "export", "--atlas", "toy", "--lines", "A549", "--out", folder)
    ids = [line["custom_id"] for line in lines(folder, "requests-0001.jsonl")]
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["build_id"] = "another"
    manifest["queries"].append(["A549", "Removed since", 5.0])
    (folder / "manifest.json").write_text(json.dumps(manifest))
    answer = tmp_path / "a.jsonl"
    answer.write_text(json.dumps({"custom_id": ids[0], "text": GOOD}) + "\nno json\n")
    code, report, err = shell("batch", "import", folder, answer, "--json")
    assert (code, report["answered"], report["gone"]) == (3, 1, 1)
    assert report["malformed"][0][0] == "a.jsonl line 2"
    assert "built anew since the export" in err
    answer.write_text(json.dumps({"custom_id": ids[1], "text": "no idea"}) + "\n")
    assert shell("batch", "import", folder, answer)[0] == 5
    answer.write_text("\n".join(json.dumps({"custom_id": i, "text": GOOD}) for i in ids[1:-1]))
    code, _, err = shell("batch", "import", folder, answer)
    assert (code, "0 answers failed, 1 questions have none" in err) == (5, True)
    answer.write_text(json.dumps({"custom_id": ids[-1], "text": GOOD}))
    assert shell("batch", "import", folder, answer)[0] == 0


@pytest.mark.parametrize("flag", ["--max-queries", "--k"])
@pytest.mark.parametrize("value", ["-1", "0", "x"])
def test_counts_below_one_are_wrong_use(shell, tmp_path, flag, value, capsys):
    """-1 is not all but the last."""
    with pytest.raises(SystemExit) as stop:
        shell("batch", "export", "--atlas", "toy", "--out", tmp_path / "b", flag, value)
    assert (stop.value.code, flag in capsys.readouterr().err) == (2, True)


def test_prompt_and_reply_by_hand(shell, tmp_path):
    """The prompt goes out, the pasted answer comes in and is found by replay."""
    question = ["--atlas", "toy", "--cell-line", "LoVo", "--drug", "Trametinib"]
    code, prompt, _ = shell("prompt", *question)
    assert (code, "Anchor molecule: Trametinib" in prompt) == (0, True)
    reply = tmp_path / "reply.txt"
    reply.write_text("Sure!\n1. **Cobimetinib** - MEK too.\n2. Aspirin: no.\n")
    code, found, _ = shell("import-reply", *question, reply, "--source", "a chatbot", "--json")
    assert (code, found["k_used"], found["rejected"][0]["text"]) == (0, 1, "Aspirin")
    _, answer, _ = shell("retrieve", *question, "--selector", "llm", "--json")
    assert answer["neighbors"][0]["drug"] == "Cobimetinib"
    assert answer["provenance"]["selector"]["file"] == "by_hand.jsonl"
    reply.write_text("I do not know.")
    assert shell("import-reply", *question, reply)[0] == 3


def test_cache_commands(shell, tmp_path, monkeypatch):
    """Fill, list, show, verify, export, import: each says what it did."""
    flags = ["--atlas", "toy", "--lines", LINES[2]]
    with LoopbackLLM(lambda _: GOOD) as server:
        monkeypatch.setenv("LGR_LLM_BASE_URL", server.url)
        assert shell("fill", *flags, "--json")[1]["answered"] == len(DRUGS)
    rows = shell("cache", "ls", "--json")[1]
    assert {row["cell_line"] for row in rows} == {"LoVo"}
    assert "7 answers" in shell("cache", "ls")[1]
    record = shell("cache", "show", rows[0]["key"][:16], "--json")[1]
    assert record["target_molecule"] == rows[0]["drug"]
    assert shell("cache", "verify", "--json")[1] == {"answers": 7, "wrong": []}
    path = tmp_path / "mine.jsonl"
    assert shell("cache", "export", path)[0] == 0
    assert shell("cache", "export", path)[0] == 3, "an existing file stays"
    assert shell("cache", "import", path, "--json")[1]["answers"] == 7
    assert shell("cache", "import", path)[0] == 3, "an imported file stays"
    assert shell("cache", "import", path, "--overwrite")[0] == 0
