"""An address of old: the reasons of a prediction, now a look of the page Predict."""

from pages.predict.old_address import lead_to

lead_to("reasons")
