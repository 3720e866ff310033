"""Small GCT and GCTX files."""

import gzip

import h5py
import numpy as np

GENES = {
    "id": ["1", "2", "3"],
    "pr_gene_symbol": ["TP53", "MYC", "FOS"],
    "pr_is_lm": ["1", "1", "0"],
}
SAMPLES = {
    "id": ["s1", "s2", "s3", "s4"],
    "cell_id": ["A549", "A549", "697", "A549"],
    "pert_iname": ["Talc", "Zinc", "Talc", "DMSO"],
    "pert_type": ["trt_cp", "trt_cp", "trt_cp", "ctl_vehicle"],
    "pert_idose": ["10 uM", "0.5 µM", "10 uM", "-666"],
    "tas": ["0.5", "0.25", "0.5", "-666"],
}
VALUES = np.array([[1.5, 2, 9], [-1, 0.5, 9], [3, -3, 9], [0, 0, 9]], dtype=np.float32)


def write_gctx(path):
    """A GCTX as cmapPy writes it: signatures by genes."""
    with h5py.File(path, "w") as file:
        for axis, table in (("ROW", GENES), ("COL", SAMPLES)):
            for name, texts in table.items():
                file[f"0/META/{axis}/{name}"] = np.array([text.encode() for text in texts])
        file["0/DATA/0/matrix"] = VALUES
    return path


def write_gct(path):
    """A GCT 1.3: genes by signatures, with rows of metadata above."""
    facts, ids = list(GENES)[1:], SAMPLES["id"]
    lines = ["#1.3", f"3\t4\t{len(facts)}\t{len(SAMPLES) - 1}", "\t".join(["id", *facts, *ids])]
    for name, texts in list(SAMPLES.items())[1:]:
        lines.append("\t".join([name, *["na"] * len(facts), *texts]))
    for row in range(3):
        facts_here = [GENES[name][row] for name in facts]
        numbers = map(str, VALUES[:, row].tolist())
        lines.append("\t".join([GENES["id"][row], *facts_here, *numbers]))
    text = "\n".join(lines) + "\n"
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path
