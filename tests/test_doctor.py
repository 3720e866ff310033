"""``lgr doctor``'s report."""

from importlib import metadata

from lgr_core import doctor
from lgr_core.config import Settings


def test_a_missing_package_is_reported_with_its_requirement(monkeypatch, tmp_path):
    """Every dependency of the package is looked for; those of the extras are not."""

    def version(name):
        if name == "rdkit":
            raise metadata.PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr(doctor, "version", version)
    stated = ["rdkit>=2025.3", "huggingface-hub<3,>=2.0", "torch>=2; extra == 'chemcpa'"]
    monkeypatch.setattr(doctor, "requires", lambda _: stated)
    report = doctor.diagnose(Settings(home=tmp_path))
    assert report["packages"] == {"rdkit": "missing", "huggingface-hub": "1.0"}
    assert "package rdkit: pip install 'rdkit>=2025.3'" in report["missing"]


def test_a_version_outside_the_tested_range_is_named(monkeypatch, tmp_path):
    """With the range; what is inside, and what is missing, is not."""
    found = {"duckdb": "3.1.0", "numpy": "2.4.6", "pandas": "2.2.0rc1"}
    monkeypatch.setattr(doctor, "version", lambda name: found.get(name, "1.0"))
    stated = ["duckdb<3,>=1.5", "numpy<3,>=2.0", "pandas<3,>=2.1"]
    monkeypatch.setattr(doctor, "requires", lambda _: stated)
    report = doctor.diagnose(Settings(home=tmp_path))
    assert report["untested"] == ["package duckdb 3.1.0: pip install 'duckdb<3,>=1.5'"]


def test_a_home_that_is_yet_to_be_made(tmp_path):
    """The room is that of the disk it will be on; an atlas is what is missing."""
    report = doctor.diagnose(Settings(home=tmp_path / "not" / "there"))
    assert report["installation"]["free_gb"] > 0
    assert [line.split(":")[0] for line in report["missing"]] == ["an atlas"]
