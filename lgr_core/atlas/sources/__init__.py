"""One reader a form: raw counts, read in blocks, and ready deltas.

Which of the two a file holds is the caller's to say: deltas need a value kind, counts have none.
A file taken for counts that holds other values is refused with the flag that would read it.
"""

from lgr_core.atlas.sources.counts import CountSource, open_counts
from lgr_core.atlas.sources.deltas import read_deltas
from lgr_core.atlas.sources.multi_file import open_folder

__all__ = ["CountSource", "open_counts", "open_folder", "read_deltas"]
