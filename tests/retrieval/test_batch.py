"""Batch files: sharded, answered by the service or by other means, imported as often as liked."""

import json

import pytest
from loopback_llm import FakeClient, LoopbackLLM
from toy import DRUGS, LINES

from lgr_core.cli import main
from lgr_core.domain import Condition
from lgr_core.errors import InputError
from lgr_core.retrieval.batch import Manifest, custom_id, export_batch, import_batch
from lgr_core.retrieval.cache import AnswerCache
from lgr_core.retrieval.llm_selector import LLMSelector
from lgr_core.retrieval.pool import candidate_pool
from lgr_core.retrieval.question import LLMOptions
from lgr_core.retrieval.service import Service

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


def test_an_unreadable_answer_file_is_refused_with_its_line(selector, pools, tmp_path):
    """One clear error."""
    path = tmp_path / "a.jsonl"
    path.write_text('{"custom_id": 1}\nno json\n')
    with pytest.raises(InputError, match="line 2"):
        import_batch(selector, pools, 10, [path])


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
    assert answer["provenance"]["selector"]["answered_by"] == "file by_hand.jsonl"
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
