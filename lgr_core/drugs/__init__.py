"""Drug identity: names, parent compounds, chemistry, mechanisms."""
