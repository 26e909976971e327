"""The rows of this folder's tasks."""

from __future__ import annotations

from ..loading.of_sentence_transformers import CrossEncoders, SentenceTransformers
from ..loading.of_text_encoders import TextEncoders
from ..loading.of_transformers import Transformers
from ..row import LocalRow


def _of(auto: str, *architectures: str) -> Transformers:
    """A loader of one Auto class of models that read text."""
    return Transformers(autos=(auto,), parts=("tokenizer",), architectures=architectures, half=True)


_SEQ2SEQ = _of("AutoModelForSeq2SeqLM", "*ForConditionalGeneration", "*MTModel", "*ForSeq2SeqLM", "*EncoderDecoderModel")
_CLASSIFIER = _of("AutoModelForSequenceClassification", "*ForSequenceClassification")
_ENCODER = TextEncoders(
    autos=("AutoModel",), parts=("tokenizer",), architectures=("*Model",), may_miss=("pooler.*", "*.pooler.*"), half=True
)
_BI_ENCODER = SentenceTransformers(half=True)
_SENTENCES = ("sentence-transformers", "transformers")

ROWS: tuple[LocalRow, ...] = (
    LocalRow(task="text-classification", function="text.classification:text_classification", loaders=(_CLASSIFIER,)),
    LocalRow(task="zero-shot-classification", function="text.zero_shot:zero_shot_classification", loaders=(_CLASSIFIER,)),
    LocalRow(
        task="token-classification",
        function="text.tokens:token_classification",
        loaders=(_of("AutoModelForTokenClassification", "*ForTokenClassification"),),
    ),
    LocalRow(
        task="question-answering",
        function="text.answer:question_answering",
        loaders=(_of("AutoModelForQuestionAnswering", "*ForQuestionAnswering*"),),
    ),
    LocalRow(
        task="table-question-answering",
        function="text.table_answer:table_question_answering",
        loaders=(
            Transformers(
                autos=("AutoModelForTableQuestionAnswering",),
                parts=("tokenizer",),
                architectures=("*ForQuestionAnswering",),  # in 32-bit numbers: the tokenizer reads the model's logits as numpy
            ),
        ),
        packages=("pandas",),
    ),
    LocalRow(task="translation", function="text.translation:translation", loaders=(_SEQ2SEQ,)),
    LocalRow(task="summarization", function="text.summary:summarization", loaders=(_SEQ2SEQ,)),
    LocalRow(
        task="feature-extraction",
        function="text.embedding:feature_extraction",
        loaders=(_BI_ENCODER, _ENCODER),
        libraries=_SENTENCES,
    ),
    LocalRow(
        task="text-generation",
        function="text.generation:text_generation",
        loaders=(_of("AutoModelForCausalLM", "*ForCausalLM", "*LMHeadModel"), _SEQ2SEQ),
    ),
    LocalRow(
        task="fill-mask",
        function="text.masks:fill_mask",
        loaders=(_of("AutoModelForMaskedLM", "*ForMaskedLM", "*WithLMHeadModel"),),
    ),
    LocalRow(task="sentence-similarity", function="text.embedding:sentence_similarity", loaders=(_BI_ENCODER,), libraries=_SENTENCES),
    LocalRow(
        task="text-ranking", function="text.ranking:text_ranking", loaders=(CrossEncoders(half=True), _BI_ENCODER), libraries=_SENTENCES
    ),
    LocalRow(task="text-retrieval", function="text.embedding:text_retrieval", loaders=(_BI_ENCODER,), libraries=_SENTENCES),
    LocalRow(
        task="multiple-choice",
        function="text.choice:multiple_choice",
        loaders=(_of("AutoModelForMultipleChoice", "*ForMultipleChoice"),),
    ),
    LocalRow(task="table-to-text", function="text.table_text:table_to_text", loaders=(_SEQ2SEQ,)),
    LocalRow(task="tabular-to-text", function="text.table_text:table_to_text", loaders=(_SEQ2SEQ,)),
)
