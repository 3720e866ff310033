"""Mechanism tags, programmes, and how alike two drugs are."""

import re

import pytest

from lgr_core.drugs.mechanisms import Annotation, Mechanism, MechanismAnnotations, Signature
from lgr_core.errors import InputError, NotFoundError

MAPK, PI3K, GR = "RTK/MAPK signalling", "PI3K-AKT-mTOR signalling", "Glucocorticoid receptor"


def _mechanism(tag, label, programme, terms, **more):
    return Mechanism(tag, label, programme, terms=re.compile(terms, re.IGNORECASE), **more)


MECHANISMS = [
    _mechanism(
        "mek", "MEK inhibitor", MAPK, "MEK inhibitors?", down=("mapk",), targets=("MAP2K1",)
    ),
    _mechanism("raf", "RAF inhibitor", MAPK, "RAF inhibitor", down=("mapk",), targets=("BRAF",)),
    _mechanism("kinase", "kinase inhibitor", MAPK, "kinase inhibitor", down=("mapk",)),
    _mechanism("mtor", "mTOR inhibitor", PI3K, "mTOR inhibitor", up=("foxo",), targets=("MTOR",)),
    _mechanism("gr_on", "glucocorticoid", GR, "glucocorticoid receptor agonist", up=("gr",)),
    _mechanism("gr_off", "antiglucocorticoid", GR, "hormone, anti", down=("gr",)),
]
SIGNATURES = {
    "mapk": Signature(("DUSP6", "TXNIP"), ("BMF",)),
    "foxo": Signature(("TXNIP", "IRS2"), ()),
    "gr": Signature(("FKBP5",), ()),
}
DRUGS = [
    Annotation("Trametinib", ("mek",), ("MAP2K1", "MAP2K2"), "ours"),
    Annotation("Trametinib (DMSO_TF solvate)", ("mek",), ("MAP2K1", "MAP2K2"), "ours"),
    Annotation("Talc", (), (), "ours"),
    Annotation("Twofold (sodium)", ("mek",), (), "ours"),
    Annotation("Twofold (citrate)", ("raf",), (), "ours"),
]


@pytest.fixture
def book():
    """A book of six mechanisms and five drugs."""
    return MechanismAnnotations(
        {m.tag: m for m in MECHANISMS}, {d.drug: d for d in DRUGS}, dict(SIGNATURES)
    )


@pytest.fixture(scope="module")
def shipped():
    """The book that ships."""
    return MechanismAnnotations.load()


def test_a_shipped_drug_is_found_by_any_spelling_or_form(book):
    """Case and salt do not matter; the name asked for is kept, the source is the file's."""
    expected = Annotation("trametinib HCl", ("mek",), ("MAP2K1", "MAP2K2"), "ours")
    assert book.annotate("trametinib HCl", moa="RAF inhibitor") == expected


def test_an_entry_without_tags_outranks_the_atlas(book):
    """Where our file says that nothing is known, an atlas's own text does not fill in."""
    assert book.tags("Talc", moa="MEK inhibitor") == ()


def test_forms_that_disagree_are_not_believed(book):
    """A bare name whose two salts have different tags is read from the atlas's text instead."""
    found = book.annotate("Twofold", moa="mTOR inhibitor")
    assert (found.tags, found.source) == (("mtor",), "read from the atlas's own annotation")


@pytest.mark.parametrize(
    ("moa", "targets", "tags"),
    [
        ("MEK inhibitor", None, ("mek",)),
        ("mek inhibitors (allosteric)|mTOR inhibitor", "", ("mek", "mtor")),
        ("unclear", "BRAF, CYP3A4", ("raf",)),
        (None, "MAP2K1|MTOR", ("mek", "mtor")),
        ("hormone, anti", None, ("gr_off",)),
        ("novel, mTOR inhibitor", None, ("mtor",)),
        ("not a MEK inhibitor", None, ()),
        ("BRAF activator", "BRAF", ()),
        (None, None, ()),
    ],
)
def test_an_atlas_text_is_read_term_by_term(book, moa, targets, tags):
    """Whole terms count, remarks in brackets do not; targets speak where no term does."""
    assert book.tags("unheard-of", moa=moa, targets=targets) == tags


@pytest.mark.parametrize(
    ("targets", "tags"), [("MAP2K1", ("mek",)), ("MTOR", ("kinase",)), ("BRAF|MTOR", ("kinase",))]
)
def test_targets_make_a_broad_term_finer(book, targets, tags):
    """Only if all of them mean one mechanism, and it lies within the term's programme."""
    assert book.tags("unheard-of", moa="kinase inhibitor", targets=targets) == tags


def test_genes_of_drug_metabolism_are_no_targets(book):
    """A shared CYP3A4 would link drugs by their clearance."""
    found = book.annotate("unheard-of", targets="CYP3A4; ABCB1;MTOR ,CYP19A1")
    assert found.targets == ("MTOR", "CYP19A1")


def test_nothing_known_says_so(book):
    """Without shipped entry, text or target the annotation is empty and its source says why."""
    assert book.annotate("unheard-of") == Annotation("unheard-of", source="no annotation")


def test_programmes_stand_once_in_order(book):
    """Tags of one programme give it once."""
    assert book.programmes(["mtor", "raf", "mek"]) == (PI3K, MAPK)


def test_unknown_names_offer_the_nearest(book):
    """A misspelt tag or signature is refused with a suggestion."""
    with pytest.raises(NotFoundError, match=r"mechanism tag 'mtorr'.*Nearest: mtor"):
        book.programmes(["mtorr"])
    with pytest.raises(NotFoundError, match=r"signature 'mapkk'.*Nearest: mapk"):
        book.signature("mapkk")


def test_expected_genes_follow_the_sign(book):
    """Lowering a signature turns it round; a gene pushed both ways is left out."""
    assert book.expected(["mek"]) == (("BMF",), ("DUSP6", "TXNIP"))
    assert book.expected(["mek", "mtor"]) == (("BMF", "IRS2"), ("DUSP6",))


def _drug(name, *tags, targets=()):
    return Annotation(name, tags, targets)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (_drug("a", "mek", targets=("X",)), _drug("b", "mek", targets=("X",)), 1.0),
        (_drug("a", "mek", "mtor"), _drug("b", "mek"), 0.7 + 0.2 / 2),
        (
            _drug("a", "mek", targets=("X", "Y")),
            _drug("b", "raf", targets=("Y", "Z")),
            0.4 + 0.2 / 3 + 0.1,
        ),
        (_drug("a", targets=("X",)), _drug("b", targets=("X",)), 0.6),
        (_drug("a", "mek", "mtor"), _drug("b", "raf"), 0.1 + 0.2 / 2),
        (_drug("a", "mek"), _drug("b", "mtor"), 0.0),
        (_drug("a"), _drug("b"), 0.0),
        (_drug("a", "gr_on", targets=("R",)), _drug("b", "gr_off", targets=("R",)), 0.0),
        (
            _drug("a", "gr_on", "mek", targets=("R",)),
            _drug("b", "gr_off", "raf", targets=("R",)),
            0.4 + 0.2 + 0.1,
        ),
    ],
)
def test_similarity_by_hand(book, a, b, expected):
    """The formula's five branches, the same both ways round."""
    assert book.similarity(a, b) == pytest.approx(expected)
    assert book.similarity(b, a) == book.similarity(a, b)


def test_a_shared_tag_outranks_the_best_shared_target(book):
    """One tag among many still stands above identical targets, and those above a programme."""
    many = tuple(m.tag for m in MECHANISMS)
    tag = book.similarity(_drug("a", *many), _drug("b", "mek"))
    target = book.similarity(_drug("a", "mek", targets=("X",)), _drug("b", "raf", targets=("X",)))
    programme = book.similarity(_drug("a", "mek"), _drug("b", "raf"))
    assert 1 > tag > target > programme > 0


@pytest.mark.parametrize(
    ("a", "b", "sentence"),
    [
        (
            _drug("A", "mek", targets=("MAP2K1",)),
            _drug("B", "mek", targets=("MAP2K1", "MAP2K2")),
            "Both MEK inhibitors (RTK/MAPK signalling); shared target MAP2K1.",
        ),
        (
            _drug("A", "mek", "mtor"),
            _drug("B", "mtor", "mek"),
            f"Both MEK inhibitors and mTOR inhibitors ({MAPK} and {PI3K}).",
        ),
        (
            _drug("A", "mek", targets=("P", "Q", "R", "S", "T")),
            _drug("B", targets=("P", "Q", "R", "S", "T")),
            "A (MEK inhibitor) and B have the same targets P, Q, R and 2 more.",
        ),
        (
            _drug("A", "mek"),
            _drug("B", "raf"),
            "Both belong to RTK/MAPK signalling: A (MEK inhibitor) and B (RAF inhibitor).",
        ),
        (
            _drug("A", "gr_on"),
            _drug("B", "gr_off"),
            "A (glucocorticoid) and B (antiglucocorticoid) act in opposite directions.",
        ),
        (_drug("A", "mek"), _drug("B"), "A and B share no known mechanism, target or programme."),
    ],
)
def test_explanations_name_the_closest_thing_shared(book, a, b, sentence):
    """One plain sentence a pair."""
    assert book.explain(a, b) == sentence


def test_a_book_that_does_not_fit_together_is_refused(book):
    """A tag of a drug, or a signature of a mechanism, that nobody defines is an error at once."""
    strange = {"X": Annotation("X", ("nonsense",))}
    with pytest.raises(InputError, match="mechanism tag 'nonsense' of X: not defined"):
        MechanismAnnotations(book.mechanisms, strange, book.signatures)
    with pytest.raises(InputError, match="signature 'mapk' of mek: not defined"):
        MechanismAnnotations(book.mechanisms, {}, {})


def test_a_missing_file_is_named(tmp_path):
    """An empty folder gives an error of ours, not of the file system."""
    with pytest.raises(InputError, match=r"mechanisms\.csv"):
        MechanismAnnotations.load(tmp_path)


def test_a_gene_set_without_a_side_is_refused(tmp_path):
    """Sets are named <signature>|up or <signature>|down."""
    (tmp_path / "mechanisms.csv").write_text("tag\n", encoding="utf-8")
    (tmp_path / "drugs.csv").write_text("drug\n", encoding="utf-8")
    (tmp_path / "programs.gmt").write_text("mapk\tsource\tDUSP6\n", encoding="utf-8")
    with pytest.raises(InputError, match="set 'mapk' of programs.gmt"):
        MechanismAnnotations.load(tmp_path)


@pytest.mark.parametrize(
    ("drug", "tags"),
    [
        ("Trametinib (DMSO_TF solvate)", ("mek_inhibitor",)),
        ("(S)-Crizotinib", ("mth1_inhibitor",)),
        ("crizotinib", ("met_inhibitor", "alk_ros1_inhibitor")),
        ("18\u03b2-Glycyrrhetinic acid", ("hsd11b_inhibitor",)),
        ("Allantoin", ()),
    ],
)
def test_shipped_annotations_by_pharmacology(shipped, drug, tags):
    """Known drugs carry the tags that a textbook gives them; a moisturiser carries none."""
    assert shipped.tags(drug) == tags


@pytest.mark.parametrize(
    ("moa", "targets", "tags"),
    [
        ("EGFR inhibitor|VEGFR inhibitor", "EGFR|KDR", ("egfr_inhibitor", "vegfr_inhibitor")),
        ("CDK inhibitor", "CDK4|CDK6", ("cdk46_inhibitor",)),
        ("topoisomerase inhibitor", "TOP1", ("topoisomerase1_inhibitor",)),
        ("topoisomerase inhibitor", "TOP2A|TOP2B", ("topoisomerase2_inhibitor",)),
        ("tubulin polymerization inhibitor", "", ("tubulin_destabiliser",)),
        ("selective estrogen receptor modulator (SERM)", "ESR1", ("estrogen_antagonist",)),
        ("KRAS G12C inhibitor", None, ("ras_inhibitor",)),
        ("glucocorticoid receptor antagonist", None, ("glucocorticoid_antagonist",)),
        ("DNA synthesis/repair inhibitor", "", ("dna_synthesis_inhibitor",)),
    ],
)
def test_terms_of_other_vocabularies_are_understood(shipped, moa, targets, tags):
    """Terms of the Repurposing Hub and of Tahoe's fine classes map to our tags."""
    assert shipped.tags("unheard-of", moa=moa, targets=targets) == tags


def test_an_antagonist_is_no_neighbour_of_its_agonist(shipped):
    """Mifepristone blocks the receptor that triamcinolone activates: no link, though shared."""
    a, b = shipped.annotate("Mifepristone"), shipped.annotate("Triamcinolone")
    assert set(a.targets) & set(b.targets) == {"NR3C1"}
    assert shipped.similarity(a, b) == 0
