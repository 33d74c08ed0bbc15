"""What happened in selling: the events, the decisions about them and the log that keeps them."""
