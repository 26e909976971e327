"""Files from addresses on the web: public ones only, with limits on time and size."""

from .fetcher import Fetched, Fetcher

__all__ = ["Fetched", "Fetcher"]
