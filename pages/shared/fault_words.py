"""What an error says on a page, where everything is chosen and not typed."""

from __future__ import annotations

from collections.abc import Mapping

from lgr_core.errors import LgrError
from lgr_core.remedies import Fix, Option, Remedy
from pages.shared.data_words import MORE_ROLES, ROLES

FORM: Mapping[Fix, str] = {
    Fix.COLUMN: "Choose the column «{role}» above.",
    Fix.ONE_COLUMN: "Choose the column «{role}» above.",
    Fix.COLUMN_OR_NONE: (
        "Choose it as the column «{role}» above, or say there that the file has none."
    ),
    Fix.DOSE_UNIT: "Choose the unit of the dose above.",
    Fix.TIME: "Choose one of them above, or say there that the file has no column «{role}».",
    Fix.VALUE_KIND: "Say above what kind of change the numbers are.",
    Fix.COUNTS_LAYER: (
        "Choose the layer of raw counts above, or say what kind of change the numbers are."
    ),
    Fix.AS_COUNTS: "Say above that they are raw counts; these are read from h5ad.",
    Fix.UNSIGNED: (
        "Take the vehicle's expression away first, or tick «Changes may all be positive» above."
    ),
    Fix.VEHICLE: "Choose the vehicle above.",
    Fix.COLUMNS_OR_VEHICLE: "Check the columns chosen, or choose the vehicle above.",
    Fix.LAYER: "Choose the layer above.",
    Fix.ANOTHER_LAYER: "Check the file, or choose another layer above.",
    Fix.NO_LAYER: "Choose no layer above.",
    Fix.UNIT: "Ingest it on the server with lgr ingest.",
    Fix.NO_FLAG: "drugs? say that the file has no column «{role}»",
    Fix.LIST_NAMES: "Choose one that is listed.",
}
"""Every remedy as a field of a form."""

_OPTIONS: Mapping[str, str] = {
    "column": "column «{role}»: {value}",
    "time": "time {value}",
    "value-kind": "kind of numbers: {value}",
}
"""Options that are fields of a form, as they were filled in."""


def plainly(error: LgrError) -> LgrError:
    """The error in the words of a form: its option and its remedy as fields that are chosen."""
    words = {error.do: remedy_words(error.remedy)} if error.remedy is not None else {}
    if error.option is not None:
        words[error.asked] = _option_words(error.option)
    return error.reworded(lambda text: words.get(text, text)) if words else error


def sentence(error: LgrError) -> str:
    """The whole error in the words of a form."""
    return str(plainly(error))


def remedy_words(remedy: Remedy) -> str:
    """What mends a request, as a field of a form."""
    return FORM[remedy.fix].format(role=_label(remedy.role))


def _option_words(option: Option) -> str:
    words = _OPTIONS.get(option.name)
    if words is None:
        return str(option)
    return words.format(role=_label(option.role), value=option.value)


def _label(role: str) -> str:
    return {**ROLES, **MORE_ROLES}.get(role, role)
