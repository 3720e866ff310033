"""What is said of the methods in sentences and formulae; tables come from the core."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

PARTS: Mapping[str, str] = MappingProxyType(
    {
        "start": "In two minutes",
        "selector": "Selector or predictor?",
        "prediction": "Formulae",
        "evidence": "Who reads what",
        "methods": "Methods",
        "metrics": "Metrics",
        "good": "Results",
        "trust": "Best evidence, trust",
        "glossary": "Glossary",
        "limits": "Limits, citation",
    }
)
"""Parts of the page by what the link calls them."""

START = (
    (
        "A drug was not tried in a cell line: which genes would go up or down? A selector names "
        "ten drugs that were tried there and should act alike. The <b>predicted change</b> of a "
        "gene is the mean of their <b>measured changes</b>."
    ),
    (
        "<b>Is it about this drug?</b> Drugs of a plate share much of their change. The specific "
        "change is what is left without it; pages show it first."
    ),
    (
        "<b>Is it right?</b> Where the drug was measured, Pearson r says whether the same genes "
        "move the same way."
    ),
    "<b>Is it better than luck?</b> Compare with random picks and with the pool mean.",
)

DELTA = (
    r"\delta_{c,d} = \operatorname{mean}_{\text{cells of } d} \ln(1 + s\,x) "
    r"- \operatorname{mean}_{\text{vehicle cells}} \ln(1 + s\,x), "
    r"\qquad s = 10^4 / \text{counts of the cell}"
)
DELTA_WORDS = (
    "The measured change of drug d in cell line c, gene by gene, from counts x: treated cells "
    "less vehicle cells of the same line on the same plate, then the mean over plates, by cells. "
    "An atlas of ready changes keeps theirs; its kind of value stands on every axis."
)
MEAN = r"\hat\delta_{c,d} = \frac{1}{k_{\text{used}}} \sum_{j \in N} \delta_{c,j}"
MEAN_WORDS = (
    "The predicted change: the mean over the neighbours N that stand, at the query's dose. k "
    "names are asked for (10 as in the paper); a name is believed only if it is in the pool, so "
    "k_used may be smaller, and the page says so. If nobody stands, the pool mean answers, with "
    "its name on it. Grey genes are within two standard errors of zero over the neighbours: noise."
)
POOL_WORDS = (
    "The pool of a query: every drug measured in its line at its dose, but the drug itself, every "
    "other form of the same compound (salts, hydrates, isomers) and the vehicle. Averaging "
    "tofacitinib citrate into a prediction for tofacitinib would be reading the answer."
)
CONTRACT = (
    "Each method declares what it reads. It never holds the data, only a view that opens what it "
    "declared; a read beyond it ends with an error. Held out is the query's compound in its line, "
    "at every dose and in every form. So a score on held-out data cannot be had by peeking."
)
UNEQUAL = (
    "In an unseen line retrieval may read other drugs of that very line, which the paper's "
    "baselines may not. Compare with methods of the same evidence."
)

TWO_WAY = (
    r"\hat\delta_{c,d} = \sum_l w_l\,\delta_{l,d} + \sum_j v_j \Bigl( \delta_{c,j} - "
    r"\sum_l w_l\,\delta_{l,j} \Bigr)"
)
TWO_WAY_WORDS = (
    "The drug was measured in other lines l, and other drugs j in this one: what the drug does "
    "elsewhere, corrected by how this line's drugs depart from what they do elsewhere. w is a "
    "ridge regression of line c on the other lines, v one of drug d on the other drugs over the "
    "other lines. The drug's own compound in c is in neither."
)
KRIGING = r"w = \arg\min_w \; w^\top G\,w - 2\,w^\top g + p\,\lVert w - u \rVert^2"
KRIGING_WORDS = (
    "The drug was measured nowhere: this line's drugs, weighted by how alike they should act (G "
    "among them, g with the drug; from lists of a language model, structure and mechanism). u is "
    "the plain mean, p the penalty that draws towards it: far from every drug, the answer is the "
    "line's mean."
)
TRUST = r"\mathrm{E}[r] = \mathrm{isotonic}(\beta^\top z), \qquad |e_g| \le q(z)\,\sigma_g"
TRUST_WORDS = (
    "What can be known without the truth, the features z below, is put through a ridge and an "
    "isotonic curve, learned on held-out conditions of other lines and compounds: the Pearson r "
    "to expect, with its interval. q makes each gene's interval from the spread of that gene over "
    "the line's other drugs."
)

RESULTS_WORDS = (
    "Means over held-out conditions of the atlas {atlas}: real Tahoe-100M responses, 35 cell lines "
    "and 110 drugs at 5 µM, rank scores, five folds, k = 10. In brackets 95 % intervals over "
    "lines, or over lines and compounds at once. Other data give other numbers: the page "
    "Benchmark shows runs of this installation."
)
RESULTS_HOW = (
    "Look at the distance to pool_mean and random_k, not at the number alone. oracle_k reads the "
    "truth: no retrieval by a plain mean of ten gets much beyond it. A method whose r beyond the "
    "line mean is near 0 knows the line and not the drug."
)
GLOSSARY_WORDS = (
    "One line a term. Wherever a page underlines a word with dots, the same line is its tooltip."
)

LIMITS = (
    (
        "A mean of neighbours is no causal model. It cannot show an effect that no neighbour "
        "has, and it is smaller than most of them: amounts are drawn towards zero."
    ),
    (
        "Drugs of one plate share their vehicle, and so their noise. Part of every correlation "
        "is technical; plate_mean says how much, where plates are known."
    ),
    "Most drugs change little at most doses. There the mean of the line is hard to beat.",
    (
        "A language model knows famous drugs from text. It may know results of public atlases "
        "as well; how it fares on new compounds is not known."
    ),
    (
        "Mechanism tags were written by a language model or by the atlas's source. To judge a "
        "language model's neighbours by them is circular."
    ),
    "Rank scores carry order and sign of genes only: errors on them are in score units.",
    (
        "It says what happens to expression after the treatment that was measured, not what a "
        "patient would feel. It is for research, not for treatment."
    ),
)
CITATION = """\
Betty Xiong, Jan-Christian Huetter, Gabriele Scalia, Tommaso Biancalani, Sepideh Maleki.
LLM-Guided Retrieval for Prediction of Molecular Perturbation Responses."""
CITATION_WORDS = (
    "The method is theirs. This app is an independent implementation; it is not checked or "
    "endorsed by them. Marked “paper” below and on the other parts: as published. All else is "
    "this project's. Name the version and the build id of the atlas too: every page says them "
    "under “How was this made?”."
)
