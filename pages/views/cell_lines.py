"""An address of old: the cell lines of an atlas, now a tab of the page Browse."""

from pages.browse.old_address import lead_to

lead_to("cell_lines")
