"""Tamper evidence: the Merkle tree over the log's entries (TRUST 1)."""
