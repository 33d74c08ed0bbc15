"""History from elsewhere: one module per source, each turning what it reads into event lines (DESIGN 8).

An importer decides nothing about selling: it yields `Produced` rows with their event lines in order, and `Rejected`
rows with the reason, both with the unchanged text they came from. The ledger then accepts or refuses each line.
"""
