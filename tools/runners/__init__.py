"""The seam behind which experts run, and what stands behind it."""
