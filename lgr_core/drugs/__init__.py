"""Who a drug is: names and parents, chemistry, mechanisms."""
