"""Tasks on pictures, and on pictures with words."""
