"""Training of the heads that plan."""
