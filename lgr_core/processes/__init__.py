"""Processes that end with their parent: pools of workers, and calls with a limit of memory."""

from lgr_core.processes.limited import LimitedProcesses, ProcessLimits
from lgr_core.processes.pools import (
    SPAWN,
    broken_pools_as_errors,
    end_with_parent,
    process_pool,
)

__all__ = [
    "SPAWN",
    "LimitedProcesses",
    "ProcessLimits",
    "broken_pools_as_errors",
    "end_with_parent",
    "process_pool",
]
