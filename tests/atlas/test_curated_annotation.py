"""Curated annotation beside an atlas's own: read, matched by parent, never overwritten."""

import shutil

import pandas as pd
import pytest

from lgr_core.atlas.curated_annotation import CuratedAnnotation, annotate_atlas
from lgr_core.atlas.curated_files import CuratedDrug, read_curated
from lgr_core.atlas.store import open_atlas
from lgr_core.errors import InputError
from tests.support.toy_atlas import DRUGS

TOFACITINIB = DRUGS["Tofacitinib"]


@pytest.fixture
def own(toy_home, tmp_path):
    """A toy atlas that may be written to."""
    shutil.copytree(toy_home / "atlases" / "toy", tmp_path / "toy")
    return open_atlas("toy", tmp_path)


def written(tmp_path, text, name="x.csv"):
    """A file with that text."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_hubs_two_files_are_joined_by_name(tmp_path):
    """Lines of comment go; structures are those of the samples."""
    drugs = written(
        tmp_path,
        "!release\tx\npert_iname\tclinical_phase\tmoa\ttarget\n"
        "tofacitinib\tLaunched\tJAK inhibitor\tJAK1|JAK3\nempty\tPreclinical\t\t\n",
        "drugs.txt",
    )
    samples = written(
        tmp_path, f"!x\npert_iname\tsmiles\tInChIKey\ntofacitinib\t{TOFACITINIB}\t\n", "samples.txt"
    )
    (found,) = read_curated([drugs, samples], "hub")
    assert (found.name, found.mechanisms, found.targets) == (
        "tofacitinib",
        ("JAK inhibitor",),
        ("JAK1", "JAK3"),
    )
    assert found.key == "UJLAWZDWDVHWOW"


def test_chembls_export_has_semicolons_and_commas_in_names(tmp_path):
    """The name of a target is one target, commas and all."""
    path = written(
        tmp_path,
        '"Parent Molecule Name";"Smiles";"Mechanism of Action";"Target Name"\n'
        f'"TOFACITINIB";"{TOFACITINIB}";"JAK inhibitor";"Kinase JAK1, human"\n',
    )
    (found,) = read_curated([path], "chembl")
    assert found.targets == ("Kinase JAK1, human",)


def test_columns_of_another_name_are_said(tmp_path):
    """Roles by name; a column that is not there is refused, and so is a table without any."""
    path = written(tmp_path, "compound,what\nTrametinib,MEK inhibitor\n")
    (found,) = read_curated([path], "csv", {"drug": "compound", "mechanism": "what"})
    assert found == CuratedDrug("Trametinib", None, ("MEK inhibitor",), ())
    with pytest.raises(InputError):
        read_curated([path], "csv")
    with pytest.raises(InputError):
        read_curated([path], "csv", {"drug": "nowhere"})
    with pytest.raises(InputError):
        read_curated([written(tmp_path, "drug,moa\na,b,c\n", "y.csv")], "csv")
    with pytest.raises(InputError):
        read_curated([tmp_path / "none.csv"], "csv")


def test_every_form_of_a_parent_is_matched_by_structure_or_name(own):
    """By structure whatever the name is, by name whatever the salt is."""
    curated = [
        CuratedDrug("CP-690550", "UJLAWZDWDVHWOW", ("JAK inhibitor",), ("JAK1",)),
        CuratedDrug("tofacitinib", None, ("JAK inhibitor",), ("JAK3",)),
        CuratedDrug("topotecan", None, ("topoisomerase inhibitor",), ()),
        CuratedDrug("not here", "AAAAAAAAAAAAAA", ("x",), ()),
    ]
    report = annotate_atlas(own, curated, source="csv", file="a.csv")
    found = CuratedAnnotation.of(own)
    assert (report.matched, report.drugs, report.added, report.kept) == (3, 7, 5, 0)
    for form in ("Tofacitinib", "Tofacitinib (citrate)"):
        assert found.stated["targets"][form] == ("JAK1", "JAK3")
    assert found.comparable["mechanism"]["Topotecan (hydrochloride)"] == {"topoisomerase inhibitor"}
    assert "Vorinostat" not in found.stated["mechanism"]


def test_nothing_is_overwritten_and_sources_stay_apart(own):
    """The same file again changes nothing; another adds; the atlas's own table stays."""
    before = own.drugs.copy()
    first = [CuratedDrug("Trametinib", None, ("MEK inhibitor",), ())]
    other = [CuratedDrug("Trametinib", None, ("mitogen kinase inhibitor",), ())]
    annotate_atlas(own, first, source="hub", file="a.txt")
    again = annotate_atlas(own, other, source="hub", file="a.txt")
    assert (again.added, again.kept) == (0, 1)
    annotate_atlas(own, other, source="chembl", file="b.csv")
    found = CuratedAnnotation.of(own)
    assert found.sources == ("chembl", "hub")
    assert found.table[["source", "file", "values"]].to_numpy().tolist() == [
        ["hub", "a.txt", "MEK inhibitor"],
        ["chembl", "b.csv", "mitogen kinase inhibitor"],
    ]
    pd.testing.assert_frame_equal(open_atlas("toy", own.folder.parent).drugs, before)
