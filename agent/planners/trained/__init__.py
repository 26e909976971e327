"""A planner with weights of its own, trained on labelled requests."""

from .planner import TrainedPlanner
from .weights import Decoding, TrainedWeights

__all__ = ["Decoding", "TrainedPlanner", "TrainedWeights"]
