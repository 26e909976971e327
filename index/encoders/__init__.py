"""What encodes an index, besides the shared MiniLM: encoders by name, the fast path for many texts, and a Ray cluster."""

from .bulk import bulk
from .embeddings import EmbeddingsEncoder
from .errors import EncoderError
from .named import load_encoder, same_encoder
from .queries import QueryEncoder, encode_query
from .ray import RayEncoder
from .sentence_transformer import SentenceTransformerEncoder

__all__ = [
    "EmbeddingsEncoder",
    "EncoderError",
    "QueryEncoder",
    "RayEncoder",
    "SentenceTransformerEncoder",
    "bulk",
    "encode_query",
    "load_encoder",
    "same_encoder",
]
