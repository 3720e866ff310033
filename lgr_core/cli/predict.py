"""Commands on one query: retrieve, predict, prompt, import-reply."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from lgr_core.answer import LGR_METHOD, METHODS, predict, retrieve, with_trust
from lgr_core.answer.between_doses import is_between
from lgr_core.answer.export import write_answer
from lgr_core.atlas.store import AtlasStore, open_atlas
from lgr_core.cli.common import DEMO, Commands, command, echo, print_json
from lgr_core.cli.doses import predict_at_dose, show_at_dose
from lgr_core.cli.llm_flags import add_llm_flags, llm_options, recorded_answers
from lgr_core.cli.new_line import add_new_line_flags, is_new_line, predict_own, show_own
from lgr_core.cli.output import (
    answer_lines,
    expected_lines,
    show_retrieval,
    warn_of_departures,
)
from lgr_core.config import Settings
from lgr_core.domain import CandidatePool, Change, Retrieval, Selector
from lgr_core.errors import InputError, UsageError
from lgr_core.prediction.aggregate import AGGREGATES
from lgr_core.prediction.lgr import FALLBACKS
from lgr_core.retrieval.by_hand import import_reply
from lgr_core.retrieval.candidate_pool import candidate_pool
from lgr_core.retrieval.expected_drugs import expected_not_chosen
from lgr_core.retrieval.llm_question import Policy
from lgr_core.retrieval.llm_selector import LLMSelector
from lgr_core.retrieval.neighbor_files import append_neighbors
from lgr_core.retrieval.parse_query import read_query
from lgr_core.retrieval.query_block import EvidenceReader
from lgr_core.retrieval.selectors import SELECTORS, MechanismSelector, make_selector
from lgr_core.retrieval.setup import llm_selector, tag_inference
from lgr_core.signatures.expected import ExpectedSignatures


def add(commands: Commands) -> None:
    """Add the commands of this group."""
    found = command(commands, "retrieve", _retrieve)
    found.set_defaults(method=LGR_METHOD)
    _add_query(found)
    asked = command(commands, "predict", _predict)
    _add_query(asked, line_required=False)
    about = "lgr averages neighbours; best_evidence and others weigh all that was measured"
    asked.add_argument("--method", choices=METHODS, default=LGR_METHOD, help=about)
    asked.add_argument("--aggregate", choices=AGGREGATES, default="mean", help="of method lgr")
    asked.add_argument("--fallback", choices=FALLBACKS, default="pool_mean")
    what = "total: as measured; specific: less the mean of the plate's other drugs"
    asked.add_argument("--change", choices=[*Change], default=Change.TOTAL, help=what)
    asked.add_argument("--all-genes", action="store_true", help="not the panel alone")
    add_new_line_flags(asked)
    _add_question(command(commands, "prompt", _prompt))
    reply = command(commands, "import-reply", _import_reply)
    _add_question(reply)
    reply.add_argument("file", metavar="FILE", help="the answer as text; - for standard input")
    reply.add_argument("--source", metavar="WHO", help="who answered, for the record")


def selector_of(
    options: argparse.Namespace, settings: Settings, store: AtlasStore
) -> str | Selector:
    """The selector that the flags name."""
    if options.selector == MechanismSelector.name and options.tags == "llm":
        inference = tag_inference(settings, model=options.model)
        report = inference.infer(store.drugs["drug"].tolist())
        if missing := len(report.unanswered):
            echo(f"lgr: the model gave no mechanism for {missing:,} of {len(store.drugs):,} drugs")
        return MechanismSelector(store, report.annotations)
    if options.selector != LLMSelector.name:
        return options.selector
    asked = llm_options(options, settings)
    if asked.policy is Policy.REPLAY:
        return recorded_answers(options, settings)(store)
    return llm_selector(store, settings, asked, neighbors=options.neighbors)


def _retrieve(options: argparse.Namespace, settings: Settings) -> None:
    if options.out is not None and options.out.suffix != ".jsonl":
        found = f"the ending {options.out.suffix!r} is unknown"
        raise UsageError(f"output {options.out}", found, "Neighbours are written as .jsonl.")
    store = open_atlas(options.atlas, settings.atlases)
    retrieval = retrieve(
        store,
        **_request(options, settings, store),
    )
    if options.out is not None:
        append_neighbors(options.out, retrieval)
    warn_of_departures(retrieval)
    show_retrieval(retrieval, as_json=options.json)


def _predict(options: argparse.Namespace, settings: Settings) -> None:
    own = is_new_line(options)
    store = open_atlas(options.atlas, settings.atlases)
    if own:
        show_own(predict_own(options, store, selector_of(options, settings, store)), options)
        return
    if is_between(store, options.cell_line, options.drug, options.dose):
        selector = selector_of(options, settings, store)
        show_at_dose(predict_at_dose(options, store, selector), options)
        return
    reader = EvidenceReader(store, change=options.change)
    answer = predict(
        store,
        **_request(options, settings, store),
        method=options.method,
        selectors=partial(make_selector, store=store, recorded=recorded_answers(options, settings)),
        aggregate=options.aggregate,
        fallback=options.fallback,
        all_genes=options.all_genes,
        change=options.change,
        reader=reader,
    )
    answer = with_trust(store, answer, settings.runs, reader=reader)
    if options.out is not None:
        write_answer(answer, options.out)
    warn_of_departures(answer.retrieval)
    annotations = MechanismSelector(store).annotations
    chosen = set(answer.retrieval.drugs)
    left_out = () if answer.is_linear else expected_not_chosen(answer.pool, chosen, annotations)
    stated = ExpectedSignatures.load(store.drug_catalog).of(answer.pool.query.drug)
    if options.json:
        data = {
            **answer.to_dict(),
            "expected_not_chosen": [asdict(one) for one in left_out],
            "model_expects": None if stated is None else stated.to_dict(),
        }
        if answer.retrieval.selector == LLMSelector.name:
            _add_claims(data, store, answer.retrieval)
        print_json(data)
    else:
        print("\n".join([answer_lines(store, answer), *expected_lines(left_out, stated)]))


def _add_claims(data: dict[str, Any], store: AtlasStore, retrieval: Retrieval) -> None:
    """Add the claims of a language model's reasons, with their verdicts."""
    # Imported here, since reading curated annotation loads RDKit, which no other answer needs.
    from lgr_core.audit.neighbor_claims import add_claims, neighbor_claims  # noqa: PLC0415
    from lgr_core.audit.rationale_audit import RationaleAudit  # noqa: PLC0415

    add_claims(data, neighbor_claims(RationaleAudit.of(store), retrieval))


def _request(options: argparse.Namespace, settings: Settings, store: AtlasStore) -> dict[str, Any]:
    """Keyword arguments of the core from a query's flags."""
    return {
        "cell_line": options.cell_line,
        "drug": options.drug,
        "dose_um": options.dose,
        "selector": selector_of(options, settings, store)
        if options.method == LGR_METHOD
        else MechanismSelector.name,
        "k": options.k,
        "seed": options.seed,
        "one_per_parent": options.one_per_parent,
    }


def _prompt(options: argparse.Namespace, settings: Settings) -> None:
    selector, pool = _by_hand(options, settings)
    question = selector.questions(pool, options.k)[0]
    if options.json:
        facts = {"template": question.prompt.version, "key": question.key}
        print_json({"prompt": question.request.prompt, **facts})
    else:
        sys.stdout.write(question.request.prompt)


def _import_reply(options: argparse.Namespace, settings: Settings) -> None:
    selector, pool = _by_hand(options, settings)
    retrieval = import_reply(
        selector, pool, options.k, _text(options.file), settings, source=options.source
    )
    show_retrieval(retrieval, as_json=options.json)


def _by_hand(options: argparse.Namespace, settings: Settings) -> tuple[LLMSelector, CandidatePool]:
    """Whose question is carried to a chatbot and back; no service is asked, whatever the policy."""
    store = open_atlas(options.atlas, settings.atlases)
    query, _ = read_query(store, options.cell_line, options.drug, options.dose)
    asked = llm_options(options, settings, Policy.REPLAY)
    return llm_selector(store, settings, asked), candidate_pool(store, query)


def _text(file: str) -> str:
    if file == "-":
        return sys.stdin.read()
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as err:
        raise InputError(f"answer {file}", str(err), "Give a text file, or - .") from err


# -- flags -----------------------------------------------------------------------------------------


def _add_query(parser: argparse.ArgumentParser, *, line_required: bool = True) -> None:
    _add_question(parser, line_required=line_required)
    flag = parser.add_argument
    flag("--selector", choices=list(SELECTORS), default="mechanism")
    flag("--tags", choices=["shipped", "llm"], default="shipped", help="of selector mechanism")
    flag("--seed", type=int, default=0, help="of the random selector")
    flag("--one-per-parent", action="store_true", help="keep one form of each parent compound")
    what = "also write a file (.csv, .parquet, .h5ad, .rnk; retrieve: .jsonl)"
    flag("--out", type=Path, metavar="FILE", help=what)


def _add_question(parser: argparse.ArgumentParser, *, line_required: bool = True) -> None:
    flag = parser.add_argument
    flag("--atlas", default=DEMO, metavar="NAME")
    flag("--cell-line", required=line_required, metavar="C")
    flag("--drug", required=True, metavar="D")
    flag(
        "--dose",
        type=float,
        metavar="UM",
        help="the highest measured if not given; predicted between two",
    )
    flag("--k", type=int, default=10)
    add_llm_flags(parser)
