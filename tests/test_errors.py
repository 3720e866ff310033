"""One tree of errors, one voice."""

import pickle

import pytest

from lgr_core import errors


def test_a_message_says_asked_found_do():
    """The three parts stand in one line, in that order."""
    err = errors.InputError("file x", "it is empty", "Give another.")
    assert str(err) == "file x: it is empty. Give another."


def test_an_error_survives_a_process_boundary():
    """Workers send errors through pickle; the parts stay."""
    err = pickle.loads(pickle.dumps(errors.NotFoundError("a", "b", "c")))  # noqa: S301 - our own
    assert (type(err), err.asked, err.found, err.do) == (errors.NotFoundError, "a", "b", "c")


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
