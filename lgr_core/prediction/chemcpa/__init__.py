"""chemCPA (re-implementation), a baseline that needs torch: the extra ``chemcpa``.

Importing the package does not import torch. Only the registry of methods imports it, lazily.
"""

from lgr_core.prediction.chemcpa.method import ChemCPAMethod
from lgr_core.prediction.chemcpa.options import LABEL, unavailable

__all__ = ["LABEL", "ChemCPAMethod", "unavailable"]
