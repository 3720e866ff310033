"""An address of old: the drugs of an atlas, now a tab of the page Browse."""

from pages.browse.old_address import lead_to

lead_to("drugs")
