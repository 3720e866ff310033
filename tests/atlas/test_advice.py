"""What an ingest advises is done, one way and the other, until it succeeds or nothing can be done.

No advice may lead back to the error it was given for.
"""

import itertools
import re
from dataclasses import replace

import numpy as np
import pytest

from lgr_core.atlas.ingest import ingest
from lgr_core.atlas.ingest_options import IngestOptions
from lgr_core.errors import LgrError
from tests.support.count_files import write_h5ad

ADVICE = re.compile(
    r"--(?P<flag>column|time|control|unit)[ ]"
    r"(?:(?P<role>\w+)=)?(?P<value>'[^']*'|[\w./]*)"
)
"""An option that an error names, and what to say with it."""

DRUGS = ("DMSO", "Trametinib", "Dasatinib")
ROWS = [*itertools.product(("A549", "MCF7"), DRUGS, range(4))]
BASE = {
    "cell_line": [line for line, _, _ in ROWS],
    "drug": [drug for _, drug, _ in ROWS],
}
TREATED = [drug != "DMSO" for drug in BASE["drug"]]
TWO = [place % 2 for _, _, place in ROWS]


def column(treated, vehicle):
    """A column of treatments, two values in turn, and of vehicles."""
    return [treated[two] if is_drug else vehicle for is_drug, two in zip(TREATED, TWO, strict=True)]


def both(value, vehicle=""):
    """A column of one value for treatments, and of another for vehicles."""
    return column((value, value), vehicle)


NAMES = {"cell_line": "line_xyz", "drug": "pert_xyz", "time": "time"}
"""Columns of the files below that go by no name known here; the reader of an error sees them."""

SUCCEED = {
    "no unit": {"dose": both(1.0, 0.0)},
    "no unit, one in the text": {"dose": column(("10", "10 nM"), "")},
    "an unknown unit in a column": {"dose": both(1.0, 0.0), "dose_unit": both("furlong", "nan")},
    "an unknown unit in the text": {"dose": both("10 ug/mL")},
    "a unit in the name and another in a column": {
        "dose_uM": both(1.0, 0.0),
        "dose_unit": both("nM"),
    },
    "logarithms": {"log10_conc": column((-6.0, -5.0), np.nan)},
    "logarithms under another name": {"dose_um": column((-6.0, -5.0), np.nan)},
    "a dose under a strange name": {"my_dose_level_um": column((1.0, 10.0), 0.0)},
    "two columns of doses": {"dose": both("1 uM", "0 uM"), "drug_dose": both("2 uM", "0 uM")},
    "several times": {"time": column(("24 h", "72 h"), "")},
    "several times of all": {"time": [("24 h", "3d")[two] for two in TWO]},
    "a time under a strange name": {"my_time_code": [("24 h", "3d")[two] for two in TWO]},
    "two columns of drugs": {"compound": column(("T", "D"), "DMSO"), "treatment": DRUGS[1]},
    "lines under a strange name": {"cell_line": None, "line_xyz": BASE["cell_line"]},
    "drugs under a strange name": {"drug": None, "pert_xyz": BASE["drug"]},
    "a vehicle of a strange name": {"drug": [d.replace("DMSO", "NT") for d in BASE["drug"]]},
}
"""Files whose every advice leads to an atlas, or to a statement what to change in the file."""


@pytest.mark.parametrize("case", SUCCEED)
def test_all_advice_leads_on(tmp_path, case):
    """Every way that an error offers is gone; at least one ends with an atlas."""
    obs = {name: values for name, values in (BASE | SUCCEED[case]).items() if values is not None}
    if "compound" in obs:
        del obs["drug"]
    counts = np.random.default_rng(0).poisson(3, size=(len(ROWS), 5))
    path = write_h5ad(tmp_path / "x.h5ad", counts, obs)
    seen = set()
    ends = list(outcomes(path, IngestOptions(min_cells=0), tmp_path, seen))
    assert len(seen) > 0, "it was read as it is"
    assert "atlas" in ends, seen


def outcomes(path, options, folder, seen):
    """``atlas`` or the last statement, of each way through the advice; ``seen`` are errors."""
    refused = refusal(path, options, folder / f"a{len(seen)}")
    if refused is None:
        yield "atlas"
        return
    assert str(refused) not in seen, "the advice led back to where it was given"
    seen.add(str(refused))
    ways = [with_advice(options, found) for found in ADVICE.finditer(refused.do)]
    if not ways:
        yield refused.do
    for way in ways:
        yield from outcomes(path, way, folder, set(seen))


def refusal(path, options, folder):
    """Why an ingest was refused; None where it was not."""
    try:
        ingest(path, folder, options=options, overwrite=True)
    except LgrError as err:
        return err
    return None


def with_advice(options, found):
    """The options with what an error says; NAME and LABEL are what a reader finds in the file."""
    value = found["value"].strip("'").rstrip(".")
    if found["flag"] == "column":
        value = NAMES[found["role"]] if value == "NAME" else value
        return replace(options, columns={**options.columns, found["role"]: value})
    if found["flag"] == "control":
        return replace(options, controls=("NT" if value == "LABEL" else value,))
    return replace(options, **{found["flag"]: value})


END = {
    "vehicles of another time": {"time": both("24 h", "0 h")},
    "nothing but vehicles": {"drug": ["DMSO"] * len(ROWS)},
    "no dose that can be read": {"dose_um": both("high")},
}
"""Files of which no option makes an atlas."""


@pytest.mark.parametrize("case", END)
def test_where_nothing_can_be_done_it_is_said(tmp_path, case):
    """All ways end in a statement without an option, or with an atlas that reads less."""
    counts = np.random.default_rng(0).poisson(3, size=(len(ROWS), 5))
    path = write_h5ad(tmp_path / "x.h5ad", counts, BASE | END[case])
    ends = list(outcomes(path, IngestOptions(min_cells=0), tmp_path, set()))
    assert all("--" not in end for end in ends)
    assert any(end != "atlas" for end in ends)
