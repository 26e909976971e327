"""Pictures and videos made by diffusers."""
