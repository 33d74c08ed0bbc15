"""What the log means at any pair of dates: folds, the read store and the reports."""
