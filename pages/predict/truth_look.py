"""The look *Was it right?*: predicted against measured, and whether others do better."""

from __future__ import annotations

from pages.predict import comparing, score_bars, second_question
from pages.shared.asking import Answered


def show(view: Answered) -> None:
    """The prediction beside its rivals, or where it could be measured."""
    contest = comparing.contest(view)
    if contest is None:
        comparing.unmeasured(view)
        second_question.show(view)
        return
    comparing.headline(contest)
    figures = {"Scores": score_bars.show(contest), **comparing.side_by_side(contest)}
    comparing.strongest_genes(contest)
    second_question.show(view)
    figures["Strips"] = comparing.strips(contest)
    comparing.table(contest)
    comparing.take_home(contest, figures)
