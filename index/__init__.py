"""Who exists: model cards, the shared encoder, and the index over them."""

from .card import ModelCard
from .encoders import EmbeddingsEncoder
from .errors import HuggingGPTError
from .filters import CardFilter
from .minilm import Encoder, MiniLM
from .model_card_index import Hit, ModelCardIndex

__all__ = ["CardFilter", "EmbeddingsEncoder", "Encoder", "Hit", "HuggingGPTError", "MiniLM", "ModelCard", "ModelCardIndex"]
