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
# # Your own cell line
#
# A line that nobody treated: its untreated expression, or only its organ and driver genes, places it among the lines of an
# atlas. The demo atlas is a simulation; with your own data only the file and the names change.

# %%
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

import lgr_core as lgr

atlas = lgr.open_atlas("demo")
atlas.line_profiles.source, atlas.line_profiles.expression.shape

# %% [markdown]
# ## A profile
#
# One value a gene: TPM, counts or logarithms, symbols or Ensembl ids. Here it is drawn between two lines of the
# atlas, so that we know whom it should resemble.

# %%
known = atlas.line_profiles
place = [list(known.cell_lines).index(name) for name in ("A549", "PANC-1")]
log1p = 0.7 * known.expression[place[0]] + 0.3 * known.expression[place[1]]
folder = Path(tempfile.mkdtemp())
profile = folder / "mine.csv"
pd.DataFrame({"gene": known.genes, "My line": np.expm1(log1p)}).to_csv(profile, index=False)
pd.read_csv(profile).head()

# %%
line = lgr.read_new_line(atlas, "My line", profile, organ="lung", drivers=["KRAS", "STK11"])
answer = lgr.predict_new_line(atlas, line=line, drug="Trametinib", dose_um=5)
answer.table().head()

# %% [markdown]
# ## What it stands on
#
# The prediction is the drug's mean over the lines that were treated, moved by slopes on the profile: again a weighted
# sum of measured conditions. Beside it stands LGR in the lines most alike. `distance` says how far the line lies from
# those of the atlas, and `too_far` is an answer too.

# %%
dict(answer.leans_on[:5]), answer.neighbor_lines, answer.too_far

# %%
moved = pd.Series(answer.delta - answer.drug_mean, answer.genes)
moved.abs().nlargest(5).index.tolist(), float(np.corrcoef(answer.delta, answer.drug_mean)[0, 1])

# %% [markdown]
# A profile that no line resembles: values drawn at random.

# %%
strange = np.random.default_rng(0).permutation(np.expm1(log1p))
pd.DataFrame({"gene": known.genes, "Strange": strange}).to_csv(folder / "strange.csv", index=False)
far = lgr.read_new_line(atlas, "Strange", folder / "strange.csv")
lgr.predict_new_line(atlas, line=far, drug="Trametinib", dose_um=5).too_far

# %% [markdown]
# ## Nothing but a name, an organ and driver genes

# %%
bare = lgr.read_new_line(atlas, "Bare", organ="lung", drivers=["KRAS"])
lgr.predict_new_line(atlas, line=bare, drug="Trametinib", dose_um=5).notes

# %% [markdown]
# How far to believe it: each line of the atlas is held out in turn and predicted in the same way; see the
# [science](../science.md). In the shell: `lgr predict --line-name "My line" --profile mine.csv --drug Trametinib`; in the app:
# *My own cells* on the page Predict. [Benchmarks](../benchmarks.md) shows what a profile was worth on real data: little.
