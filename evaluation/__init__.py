"""How well: datasets, metrics, runs, reports. Nothing stands here yet: the first evaluations come with the next version."""
