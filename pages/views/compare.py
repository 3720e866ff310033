"""An address of old: whether a prediction was right, now a look of the page Predict."""

from pages.predict.old_address import lead_to

lead_to("truth")
