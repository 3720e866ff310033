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
# # A first prediction
#
# What does trametinib do to A549 cells? This notebook predicts it from other drugs that were measured in A549, and
# then asks whether the prediction is any good. It uses the demo atlas, a **simulation** that `lgr demo` builds; replace
# `"demo"` by the name of an atlas of your own for real answers.

# %%
import lgr_core as lgr

lgr.atlases()[["name", "simulated", "n_conditions", "n_genes", "n_drugs"]]

# %%
atlas = lgr.open_atlas("demo")
atlas

# %% [markdown]
# ## Ask
#
# The selector `mechanism` ranks the candidates by shared mechanisms and targets. Only drugs that were measured in A549
# at the same dose are candidates, and no form of trametinib itself is among them.

# %%
answer = lgr.predict(atlas, cell_line="A549", drug="Trametinib", selector="mechanism", k=5)
answer

# %%
for neighbor in answer.retrieval.neighbors:
    print(neighbor.rank, neighbor.drug, "-", neighbor.rationale)

# %% [markdown]
# The prediction is the mean of what was measured of these drugs. Every column beside `predicted` is a measurement:

# %%
answer.top_genes(5).round(2)

# %% [markdown]
# ## Is it any good?
#
# This pair was measured, so the answer can be compared with the truth, which the prediction never reads. A high
# correlation alone says little: compare it with what simple means reach on the same question.

# %%
import pandas as pd

methods = ["lgr", "drug_mean", "cell_mean", "plate_mean", "global_mean"]
scores = {
    name: lgr.predict(atlas, cell_line="A549", drug="Trametinib", method=name).metrics
    for name in methods
}
pd.DataFrame(scores).T[["pearson_delta", "mae_delta", "sign_accuracy"]].round(3)

# %% [markdown]
# `plate_mean` is the mean of the *other drugs* on the same plate: what it reaches is no effect of trametinib. The
# specific change takes that share away from the truth and from every neighbour:

# %%
specific = lgr.predict(atlas, cell_line="A549", drug="Trametinib", k=5, change="specific")
specific.metrics["pearson_specific"]

# %% [markdown]
# How often would as many random drugs have done as well?

# %%
found = lgr.verdict(atlas, answer)
print(f"The prediction is better than {found.beats:.0%} of {found.n_draws} random draws of drugs.")

# %% [markdown]
# ## Go on in scanpy
#
# Answers and measured changes are AnnData objects, genes as variables.

# %%
answer.to_anndata()

# %%
changes = atlas.to_anndata(cell_line="A549", dose_um=5.0, change="specific")
changes.obs[["drug", "dose_um", "n_cells", "plates"]].head()

# %% [markdown]
# ## Which drugs act alike?
#
# The predicted change is a signature: search for measured drugs that mimic it.

# %%
hits = lgr.search(atlas, answer, cell_line="A549")
hits.loc[hits["relation"] == "", ["drug", "dose_um", "score", "fdr"]].head()
