"""Encodings of other writers of h5ad, made with h5py."""

import anndata
import h5py
import numpy as np
import pandas as pd
from scipy import sparse


def as_nullable_strings(path, na="NaN"):
    """Rewrite every text of ``obs`` and ``var`` as anndata 0.13 does, the index among them."""
    with h5py.File(path, "r+") as file:
        for table in ("obs", "var"):
            for name in list(file[table]):
                kind = file[f"{table}/{name}"].attrs.get("encoding-type")
                if kind in {"string-array", "categorical"}:
                    _as_masked(file[table], name, na)
    return path


def _as_masked(table, name, na):
    texts = np.array(anndata.io.read_elem(table[name]), dtype=object)
    del table[name]
    group = table.create_group(name)
    group.attrs.update(
        {
            "encoding-type": "nullable-string-array",
            "encoding-version": "0.1.0",
            "na-value": na,
        }
    )
    missing = texts == "nan"
    group["values"] = np.where(missing, "", texts).astype(h5py.string_dtype())
    group["mask"] = missing
    group["values"].attrs.update({"encoding-type": "string-array", "encoding-version": "0.2.0"})
    group["mask"].attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})


def write_compound(path, X, obs, genes, *, names=True, raw=False):
    """Write an h5ad as anndata 0.6 does; without ``names`` the categories' names are lost."""
    frame = pd.DataFrame(obs)
    with h5py.File(path, "w") as file:
        fields, codes = [("index", h5py.string_dtype())], {}
        for name, values in frame.items():
            if pd.api.types.is_numeric_dtype(values):
                fields.append((name, values.dtype))
                codes[name] = values.to_numpy()
                continue
            kinds = pd.Categorical(values)
            fields.append((name, "i1"))
            codes[name] = kinds.codes
            if names:
                held = np.array(kinds.categories, dtype=object)
                file.create_dataset(f"uns/{name}_categories", data=held, dtype=h5py.string_dtype())
        rows = np.empty(len(frame), dtype=fields)
        rows["index"] = [f"row{i}" for i in range(len(frame))]
        for name, values in codes.items():
            rows[name] = values
        file["obs"] = rows
        held = np.array([(gene,) for gene in genes], dtype=[("index", h5py.string_dtype())])
        file["var"] = held
        places = {"X": np.log1p(X), "raw.X": X} if raw else {"X": X}
        if raw:
            file["raw.var"] = held
        for place, values in places.items():
            matrix = sparse.csr_matrix(np.asarray(values, dtype=np.float32))
            group = file.create_group(place)
            group.attrs.update({"h5sparse_format": "csr", "h5sparse_shape": matrix.shape})
            for part in ("data", "indices", "indptr"):
                group[part] = getattr(matrix, part)
    return path
