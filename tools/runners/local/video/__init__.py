"""Tasks on video that transformers runs."""
