"""Every command by its module, with the line that ``lgr --help`` shows of it.

The table lets ``lgr`` list its commands without importing them, and import one command alone.
"""

from __future__ import annotations

from collections.abc import Mapping

GROUPS: Mapping[str, Mapping[str, str]] = {
    "atlas": {
        "ingest": "build an atlas from counts or ready deltas",
        "demo": "build the simulated demo atlas",
        "info": "which atlases there are, or what NAME is and how it was made",
        "doctor": "what is installed, which atlases there are, what is missing",
    },
    "profiles": {"profiles": "add the untreated expression of an atlas's cell lines"},
    "fetch": {"fetch": "fetch a public atlas: checked, and resumed where it was cut off"},
    "predict": {
        "retrieve": "the neighbours of a drug in a cell line",
        "predict": "predict a drug's effect on a cell line",
        "prompt": "print the prompt, for any chatbot",
        "import-reply": "take a chatbot's answer by hand",
    },
    "answers": {
        "answers": "all known answers of language models to one question, side by side",
    },
    "search": {"search": "measured drugs that act like a measured one, or like a gene list"},
    "doses": {"doses": "curves over the measured doses of a drug in a cell line"},
    "plan": {"plan": "which drugs to test next in a cell line"},
    "batch": {"batch": "OpenAI Batch files for many queries"},
    "cache": {
        "cache": "cached answers of language models",
        "tags": "let the model infer the drugs' mechanism tags",
    },
    "fill": {"fill": "ask the model for many queries"},
    "benchmark": {
        "benchmark": "score methods on held-out conditions",
        "calibrate": "learn how far predictions of an atlas can be trusted",
        "report": "one HTML file of a benchmark run",
    },
    "twins": {
        "twins": "one compound in two wells: what a score is made of",
        "halves": "two halves of the cells of one well: how far they agree",
    },
    "rationales": {
        "rationales": "reasons of language models, checked",
        "annotate": "add curated mechanisms and targets beside an atlas's own",
    },
    "app": {"app": "open the app in the browser"},
}
"""Module of ``lgr_core.cli`` -> its commands, each with its summary, in the order of the help."""

SUMMARIES = {name: summary for group in GROUPS.values() for name, summary in group.items()}
"""Command -> its summary."""


def module_of(command: str) -> str | None:
    """The module of a command, None if there is no such command."""
    return next((module for module, group in GROUPS.items() if command in group), None)
