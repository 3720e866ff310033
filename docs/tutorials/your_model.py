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
# # Judge your own model
#
# A model is worth its trouble if it beats means, beats the plate, and comes near a repeat of the experiment. This
# notebook scores a model of your own beside these, on the same held-out conditions.

# %%
import tempfile
from pathlib import Path

import numpy as np

import lgr_core as lgr

folder = Path(
    tempfile.mkdtemp()
)  # for this notebook; without `folder`, runs lie in the home of the atlas
atlas = lgr.open_atlas("demo")
atlas

# %% [markdown]
# ## A model in ten lines
#
# A model is a function of the training conditions (AnnData: `X` holds measured changes, `obs` the names) and of a table
# of queries. It returns one predicted change a query. It is called once for each block of held-out conditions, and
# sees nothing of them but their names and what the atlas says of the drugs.
#
# This one averages the training drugs of the same line that share a target with the query's drug:

# %%


def shared_target(train, queries):
    """Mean of the line's training drugs that share a target, else of all drugs of the line."""
    targets = [set(text.split(";")) - {""} for text in train.obs["targets"]]
    predicted = []
    for query in queries.itertuples():
        line = (train.obs["cell_line"] == query.cell_line).to_numpy()
        wanted = set(query.targets.split(";"))
        alike = line & np.array([bool(wanted & each) for each in targets])
        predicted.append(train.X[alike if alike.any() else line].mean(axis=0))
    return np.array(predicted)


# %% [markdown]
# A model that is costly to fit is an object with two methods instead, `fit(train)` and `predict(queries)`; `fit` is
# called once a fold.
#
# ## Score it
#
# In the regime `unseen_drug` a drug is held out in every form, at every dose, in every line.

# %%
run = lgr.benchmark(
    atlas,
    models={"shared_target": shared_target},
    methods=["lgr_mechanism", "cell_mean", "drug_mean", "plate_mean", "replicate_dose"],
    regimes=["unseen_drug"],
    folds=3,
    max_queries=30,
    folder=folder / "total",
)
table = run.summary.query("metric == 'pearson_delta'").set_index("method")
table[["mean", "low", "high", "n_queries", "status"]].sort_values("mean", ascending=False).round(3)

# %% [markdown]
# How to read it:
#
# - `truth` is the measured change itself, and scores 1 by definition; `zero` predicts no change.
# - `plate_mean` averages other drugs on the query's plate. A model that does not beat it may have learned the plate.
# - `replicate_dose` is a repeat: the same drug in the same line, measured at its neighbouring dose in another well. An
#   atlas that keeps several plates of a condition has a stricter one, `replicate_plate`. A repeat reads what no model
#   may read; it shows what a good prediction can expect.
# - `random_k` averages random drugs of the line, `oracle_k` the ten that are most like the truth.
#
# Intervals are over held-out drugs. Whether two methods differ is a paired question:

# %%
pairs = run.pairs.query("metric == 'pearson_delta'")
pairs[(pairs == "shared_target").any(axis=1)].round(3).head(12)

# %% [markdown]
# ## Without the plate
#
# The same with the specific change: what all drugs of a plate share is taken away from the truth, and from what the
# model is trained on.

# %%
run = lgr.benchmark(
    atlas,
    models={"shared_target": shared_target},
    methods=["lgr_mechanism", "cell_mean"],
    regimes=["unseen_drug"],
    folds=3,
    max_queries=30,
    change="specific",
    folder=folder / "specific",
)
table = run.summary.query("metric == 'pearson_specific'").set_index("method")
table[["mean", "low", "high"]].sort_values("mean", ascending=False).round(3)

# %% [markdown]
# A run is a folder that holds every score: `lgr report FOLDER` makes one HTML file of it. One that lies in the home of
# the atlas, as it does where no `folder` is given, is read again with `lgr.open_run(name)`.
#
# Predictions that were made elsewhere need no Python at all: `lgr benchmark --predictions FILE` scores an h5ad, parquet
# or CSV file; see [benchmarks](../benchmarks.md).
