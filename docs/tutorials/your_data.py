# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Bring your own data
#
# From counts of single cells to predictions. The counts below are drawn at random, with three groups of drugs that act
# alike, so that the notebook runs anywhere; with your own file, start at *Ingest*.

# %%
import os
import tempfile
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

rng = np.random.default_rng(0)
lines, groups, cells = ["A549", "LoVo"], {"MEK": 4, "HDAC": 4, "TOP1": 4}, 40
genes = [f"GENE{i}" for i in range(300)]
effect = {group: rng.normal(0, 0.8, 300) * (rng.random(300) < 0.2) for group in groups}
drugs = {f"{group} inhibitor {i}": group for group, n in groups.items() for i in range(n)}

rows, counts = [], []
for line in lines:
    base = rng.normal(1, 1, 300)
    for drug, group in {**drugs, "DMSO": None}.items():
        change = 0 if group is None else effect[group] + rng.normal(0, 0.2, 300)
        counts.append(rng.poisson(np.exp(base + change), (cells, 300)))
        rows += [{"cell_line": line, "drug": drug, "dose_um": 1.0, "plate": "P1"}] * cells

table = pd.DataFrame(rows, index=[f"cell{i}" for i in range(len(rows))])
table.loc[table["drug"] == "DMSO", "dose_um"] = 0.0
data = ad.AnnData(
    np.vstack(counts).astype(np.float32), obs=table, var=pd.DataFrame(index=pd.Index(genes))
)
folder = Path(tempfile.mkdtemp())
data.write_h5ad(folder / "counts.h5ad")
data

# %% [markdown]
# ## Ingest
#
# `lgr ingest` guesses which column holds what, and prints its guesses; `--column role=name` corrects one. It
# normalises the counts, averages the cells of each condition, and takes the difference from the vehicle on the same
# plate. Here the atlas goes to a temporary home; usually you leave `LGR_HOME` as it is.

# %%
os.environ["LGR_HOME"] = str(folder / "home")
# !lgr ingest {folder}/counts.h5ad --name mine --control DMSO --n-hvg 200

# %% [markdown]
# The report says how good the data are: how much replicates and plates agree, and which conditions have few cells.

# %%
# !lgr info mine --report | head -30

# %% [markdown]
# ## Predict
#
# The names of these drugs mean nothing to the selector `mechanism`, so choose neighbours by hand, or average all that
# was measured with `best_evidence`.

# %%
import lgr_core as lgr

atlas = lgr.open_atlas("mine")
query = {"cell_line": "LoVo", "drug": "MEK inhibitor 0"}
mine = [f"MEK inhibitor {i}" for i in (1, 2, 3)]
others = [f"HDAC inhibitor {i}" for i in (1, 2, 3)]

pd.Series(
    {
        "drugs of its group": lgr.predict(atlas, **query, selector=mine).metrics["pearson_delta"],
        "drugs of another": lgr.predict(atlas, **query, selector=others).metrics["pearson_delta"],
        "the drug elsewhere": lgr.predict(atlas, **query, method="drug_mean").metrics[
            "pearson_delta"
        ],
        "mean of the line": lgr.predict(atlas, **query, method="cell_mean").metrics[
            "pearson_delta"
        ],
    }
).round(3)

# %% [markdown]
# ## With real data
#
# *Not run here: it needs a download of about 0.4 GB.* The published changes of Tahoe-100M become an atlas with
#
# ```sh
# lgr fetch tahoe --doses 5 --ingest tahoe
# ```
#
# Tables of ready changes (log2 fold changes, z-scores) are read with `--value-kind`; plates that a file does not name
# come from a table of samples (`--samples`). See [data formats](../data-formats.md).
