"""One tree of errors, one voice."""

import pickle

import pytest

from lgr_core import errors
from lgr_core.remedies import Fix, Option, Remedy


def test_a_message_says_asked_found_do():
    """The three parts stand in one line, in that order."""
    err = errors.InputError("file x", "it is empty", "Give another.")
    assert str(err) == "file x: it is empty. Give another."


def test_an_error_survives_a_process_boundary():
    """Workers send errors through pickle; the parts stay."""
    err = pickle.loads(pickle.dumps(errors.NotFoundError("a", "b", "c")))  # noqa: S301 - our own
    assert (type(err), err.asked, err.found, err.do) == (errors.NotFoundError, "a", "b", "c")


@pytest.mark.parametrize(
    "error",
    [
        errors.NotFoundError("a", "b", "c", nearest=["d", "e"]),
        errors.AmbiguousError("a", "b", "c", candidates=["d", "e"]),
        errors.BadReplyError("a", "b", "c", "raw", usage=3),
        errors.InputError(Option("column", "d", "drug"), "b", Remedy(Fix.COLUMN, "drug")),
    ],
)
def test_fields_survive_a_process_boundary_and_other_words(error):
    """Pickled or reworded, an error keeps what a caller decides by."""
    fields = {k: v for k, v in vars(error).items() if k not in {"asked", "found", "do"}}
    sent = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert vars(sent) == vars(error)
    assert str(sent) == str(error)
    said = error.reworded(str.upper)
    assert str(said) == str(error).upper()
    assert fields.items() <= vars(said).items()
    assert type(said) is type(error)


def test_an_option_and_a_remedy_are_flags_in_the_shell():
    """The role concerned is a field."""
    err = errors.InputError(Option("column", "d", "drug"), "b", Remedy(Fix.COLUMN, "drug"))
    assert str(err) == "--column drug=d: b. Say --column drug=NAME."
    assert (err.option.value, err.remedy.fix, err.role) == ("d", Fix.COLUMN, "drug")
    assert errors.InputError("a", "b", "c").role == ""


@pytest.mark.parametrize("fix", Fix)
def test_every_remedy_has_a_sentence(fix):
    """Whatever values it takes, a brace among them too."""
    assert "{" not in str(Remedy(fix, "drug", ("a", "b")))
    assert str(Remedy(Fix.ONE_COLUMN, "drug", ("{a}", "b"))).count("--column drug=") == 2


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.UsageError, 2),
        (errors.InputError, 3),
        (errors.AmbiguousError, 3),
        (errors.SchemaError, 3),
        (errors.NotFoundError, 4),
        (errors.EmptyPoolError, 4),
        (errors.ServiceError, 5),
        (errors.BudgetError, 6),
        (errors.StoppedError, 130),
        (errors.LeakageError, 1),
    ],
)
def test_exit_codes_are_part_of_the_interface(error, code):
    """Scripts rely on these numbers."""
    assert error.exit_code == code


def test_unknown_offers_the_nearest_names():
    """A typo is answered with what it may have meant."""
    err = errors.unknown("drug", "Trametinb", ["Trametinib", "Vorinostat"], "the atlas")
    assert "Nearest: Trametinib" in str(err)


def test_unknown_admits_that_nothing_is_near():
    """No far-fetched name is offered."""
    assert "Nearest" not in str(errors.unknown("drug", "zzzz", ["Trametinib"], "the atlas"))
