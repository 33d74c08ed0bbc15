"""HTTP and the dashboard over the ledger and its projections."""
