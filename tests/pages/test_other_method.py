"""The line that names what the other method says, and leads to it."""

from dataclasses import replace

import numpy as np

from lgr_core.answer import predict
from lgr_core.answer.top_genes import strongest_genes
from pages.predict import other_method
from tests.support.rendered_page import link, text


def named(page):
    """The line of a page that speaks of the other method."""
    return page.split('class="lgr-other">', 1)[1].split("</p>", 1)[0]


def test_it_names_the_genes_of_best_evidence_and_leads_there(opened, lab):
    """Those of the core; then the neighbours are the other method, and lead back."""
    app = opened("predict", change="")
    answer = predict(
        lab, cell_line="A549", drug="Trametinib", method="best_evidence", k=5, change="specific"
    )
    up, down = (answer.genes[rows].tolist() for rows in strongest_genes(answer, 2, sure=True))
    line = named(text(app))
    assert line.startswith("<b>Best evidence</b> says: ")
    assert f'<b class="lgr-up">{", ".join(up)}</b> up' in line
    assert f'<b class="lgr-down">{", ".join(down[::-1])}</b> down' in line
    app.button(key="show_other").click().run()
    assert link(app)["method"] == "best_evidence"
    assert named(text(app)).startswith("<b>Neighbours (LGR)</b> says: ")
    app.button(key="show_other").click().run()
    assert "method" not in link(app)


def test_where_no_gene_stands_out_it_says_so(lab):
    """Two neighbours that go to and fro by more than their mean."""
    answer = predict(lab, cell_line="A549", drug="Trametinib", selector="mechanism", k=4)
    swing = 9 * np.array([[1.0], [-1.0], [1.0], [-1.0]]) * np.ones(len(answer.genes))
    noisy = replace(answer, neighbor_deltas=answer.prediction.delta + swing)
    found = other_method.sentence(noisy, "Best evidence")
    assert found == "<b>Best evidence</b> says: no gene stands out of the noise."
