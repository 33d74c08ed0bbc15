"""Personal data and free text: commitments in the log, values in the vault (TRUST 2)."""
