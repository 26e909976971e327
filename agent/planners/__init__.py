"""The seam behind which plans are made, and the planners behind it."""
