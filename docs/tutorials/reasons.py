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
# # Reasons, from prompt to audit
#
# A language model ranks the candidates and gives a reason for each. This notebook shows what the model is asked, what
# it answered, and how its reasons are checked against data that it never saw. It replays recorded answers, so no key is
# needed and no request is sent.

# %% [markdown]
# ## What is asked
#
# The prompt lists the candidates and asks for a ranking with reasons. This prints its last lines:

# %%
# !lgr prompt --cell-line LoVo --drug Trametinib | tail -25

# %% [markdown]
# You can paste it into any chatbot and hand the reply back with `lgr import-reply`. With a key, `--cache fill` asks a
# model and stores its answer (*not run here: it needs a key and costs money*):
#
# ```sh
# lgr predict --cell-line LoVo --drug Trametinib --selector llm --cache fill
# ```
#
# ## What was answered

# %%
import pandas as pd

import lgr_core as lgr

atlas = lgr.open_atlas("demo")
answer = lgr.predict(atlas, cell_line="LoVo", drug="Trametinib", selector="llm")
pd.set_option("display.max_colwidth", 120)
pd.DataFrame([{"drug": n.drug, "reason": n.rationale} for n in answer.retrieval.neighbors])

# %% [markdown]
# Who answered, and when, stands in the provenance:

# %%
{key: answer.retrieval.provenance[key] for key in ("answered_by", "file", "source")}

# %% [markdown]
# ## Is the order any good?
#
# Reasons can sound right and choose badly. The predicted change is scored as any other:

# %%
rules = {name: {"selector": name} for name in ("llm", "mechanism", "chemistry")}
rules["mean of the line"] = {"method": "cell_mean"}
query = {"cell_line": "LoVo", "drug": "Trametinib"}
pd.Series(
    {
        name: lgr.predict(atlas, **query, **rule).metrics["pearson_delta"]
        for name, rule in rules.items()
    }
).round(3)

# %% [markdown]
# ## Are the reasons true?
#
# Some reasons claim what data can decide: "MEK inhibitor", "targets MAP2K1", "lowers DUSP6". The audit reads such
# claims by rule and compares them with annotation and with measured specific changes. Rates stand beside those of
# permuted reasons, which show how often a claim would hold by chance.
#
# In the simulated demo the verdicts on directions say how the simulation was made, not how cells react; on a real
# atlas they are evidence. [Benchmarks](../benchmarks.md) has the figures for Tahoe-100M.

# %%
# !lgr rationales audit --atlas demo --permutations 2

# %% [markdown]
# `--out FILE` writes every claim with its verdict, its quotation and the measured value.
