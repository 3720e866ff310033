"""``python -m lgr_core``."""

import sys

from lgr_core.cli import main

sys.exit(main())
