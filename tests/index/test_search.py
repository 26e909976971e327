"""What a search finds and in what order: checked against brute force and against sums done by hand."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from langchain_hugginggpt.index import CardFilter, MiniLM, ModelCard, ModelCardIndex
from langchain_hugginggpt.index.catalogue import load_catalogue
from langchain_hugginggpt.index.errors import CallerError, CardError, UnknownNameError
from langchain_hugginggpt.index.ranking import Evidence, Query
from langchain_hugginggpt.index.ranking.reranker import Reranker
from langchain_hugginggpt.index.text import card_passages
from tests.fakes import WordEncoder
from tests.index.cards import BOTH_READ, CARDS, CATS, DOGS, READ, UNKNOWN, WORDS

if TYPE_CHECKING:
    from langchain_hugginggpt.index.minilm import Floats

TOLERANCE = 1e-4  # the shipped vectors have 16 bits
QUERIES = ("transcribe speech in German", "is this review good or bad", "find cars in a photo", "Übersetzung", "zzzz qqqq", "3D")


@pytest.fixture(scope="module")
def minilm() -> MiniLM:
    return MiniLM()


@pytest.fixture(scope="module")
def catalogue(minilm: MiniLM) -> ModelCardIndex:
    return ModelCardIndex.embedded(minilm)


@pytest.fixture
def zoo() -> ModelCardIndex:
    return ModelCardIndex.from_cards(CARDS, encoder=WordEncoder(*WORDS))


def ids(index: ModelCardIndex, query: str, *, task: str | None = None, filters: CardFilter | None = None, limit: int = 10) -> list[str]:
    return [h.card.id for h in index.search(query, task=task, filters=filters, limit=limit)]


def dense(
    index: ModelCardIndex, encoder: MiniLM, query: str, task: str | None, allowed: list[int] | None = None
) -> list[tuple[int, float]]:
    """(position in the catalogue, cosine) of the nearest cards."""
    positions = {(c.id, c.task): i for i, c in enumerate(load_catalogue())}
    generation = index._opened.generation
    hits: list[tuple[int, float]] = []
    for t in generation.tasks(task):
        numbered = generation.cards.cards(range(t.slot << 32, (t.slot << 32) + t.places))
        of = {n & 0xFFFFFFFF: positions[c.id, c.task] for n, c in numbered.items()}
        mask = None if allowed is None else np.array([of.get(p, -1) in allowed for p in range(t.places)])
        places, cosines = generation.vectors[t.name].search(encoder.encode([query])[0], limit=20, allowed=mask)
        hits += [(of[p], c) for p, c in zip(places.tolist(), cosines.tolist(), strict=True)]
    return sorted(hits, key=lambda h: -h[1])[:20]


@pytest.mark.parametrize("query", QUERIES)
def test_dense_search_is_exact(minilm: MiniLM, catalogue: ModelCardIndex, query: str) -> None:
    cards = load_catalogue()
    cosines = best_of_passages(minilm, query)
    for task in [None, *catalogue.tasks]:
        members = [i for i, c in enumerate(cards) if task is None or c.task == task]
        expected = sorted((float(cosines[i]) for i in members), reverse=True)[:20]
        found = dense(catalogue, minilm, query, task)
        np.testing.assert_allclose([s for _, s in found], expected, atol=TOLERANCE)
        np.testing.assert_allclose([cosines[n] for n, _ in found], expected, atol=TOLERANCE)
        assert {n for n, _ in found} <= set(members)


@pytest.mark.parametrize("query", QUERIES[:3])
def test_dense_search_among_allowed_cards_is_exact(minilm: MiniLM, catalogue: ModelCardIndex, query: str) -> None:
    allowed = list(range(0, len(load_catalogue()), 7))
    cosines = best_of_passages(minilm, query)
    expected = sorted((float(cosines[n]) for n in allowed), reverse=True)[:20]
    found = dense(catalogue, minilm, query, None, allowed)
    np.testing.assert_allclose([s for _, s in found], expected, atol=TOLERANCE)
    assert {n for n, _ in found} <= set(allowed)


def best_of_passages(minilm: MiniLM, query: str) -> Floats:
    """Worked out without the index: by card of the catalogue, the cosine of its nearest passage."""
    vector = minilm.encode([query])[0]
    return np.array([(minilm.encode(card_passages(c)) @ vector).max() for c in load_catalogue()])


def test_ranks_are_fused_as_worked_out_by_hand(zoo: ModelCardIndex) -> None:
    hits = zoo.with_reranker(None).search("cats", task="image-classification")
    # id and text are encoded: CATS has three cats and nothing else, DOGS two dogs and one cat, UNKNOWN one bird.
    assert [h.card for h in hits] == [CATS, DOGS, UNKNOWN]
    cosines = [h.similarity for h in hits]
    assert cosines == pytest.approx([1, 1 / np.sqrt(5), 0], abs=1e-6)
    by_hand = [1.0, (1 / 62 + 1 / 62) * 61 / 2, (1 / 63) * 61 / 2]
    assert [h.score for h in hits] == pytest.approx(by_hand, abs=1e-6)
    assert hits[0].why.startswith("no. 1 by meaning (1.00); its name or tags say: cats")
    assert hits[2].why.startswith("no. 3 by meaning (0.00); no licence told")


def test_the_reranker_has_the_last_word(zoo: ModelCardIndex) -> None:
    class Backwards(Reranker):
        """Likes best what came last."""

        def scores(self, query: Query, found: Sequence[Evidence]) -> Floats:
            asked.append(query)
            return np.linspace(0, 1, len(found), dtype=np.float32)

    asked: list[Query] = []
    backwards = Backwards(encoder="words", tasks=(), spread=1.0, weights={})
    as_fused = zoo.with_reranker(None).search("cats", task="image-classification")
    reranked = zoo.with_reranker(backwards).search("cats", task="image-classification")
    assert [h.card for h in reranked] == [h.card for h in reversed(as_fused)]
    assert [(q.text, q.task, q.encoder) for q in asked] == [("cats", "image-classification", "words")]
    assert [h.score for h in reranked] == [1.0, 0.5, 0.0]


def test_beyond_the_reranked_cards_the_fused_order_stays() -> None:
    cards = [ModelCard(id=f"a/{i}", task="t", text="cats " + "dogs " * i) for i in range(90)]
    index = ModelCardIndex.from_cards(cards, encoder=WordEncoder("cats", "dogs"))
    plain, ranked = (i.search("cats", limit=90) for i in (index.with_reranker(None), index))
    assert [h.card for h in plain[60:]] == [h.card for h in ranked[60:]]
    assert {h.card.id for h in plain[:60]} == {h.card.id for h in ranked[:60]}
    scores = [h.score for h in ranked]
    assert scores == sorted(scores, reverse=True)


def test_words_alone_find_what_meaning_does_not(zoo: ModelCardIndex) -> None:
    hits = zoo.search("pictures", task="image-to-text")  # no word of the encoder: all cosines are 0
    assert hits[0].card == READ
    assert "no. 1 by the words of its text" in hits[0].why


def test_a_card_that_only_words_found_has_its_cosine_as_well() -> None:
    cards = [ModelCard(id=f"a/{i}", task="t", text="cats " * (1 + i % 3)) for i in range(80)]
    rare = ModelCard(id="a/rare", task="t", text="dogs quokka")
    hit = ModelCardIndex.from_cards([*cards, rare], encoder=WordEncoder("cats", "dogs")).search("cats quokka", limit=80)
    found = next(h for h in hit if h.card.id == "a/rare")
    assert found.similarity == pytest.approx(0, abs=1e-6)
    assert found.why.startswith("no. 1 by the words of its text")


def test_a_query_of_two_tasks_finds_both(zoo: ModelCardIndex) -> None:
    assert {(h.card.id, h.card.task) for h in zoo.search("cats")} == {(c.id, c.task) for c in CARDS}


def test_a_task_keeps_others_out(zoo: ModelCardIndex) -> None:
    assert set(ids(zoo, "cats", task="image-to-text")) == {"zoo/read", "zoo/cats"}


def test_a_task_that_the_index_has_not_gives_cards_of_the_nearest_and_says_so(zoo: ModelCardIndex) -> None:
    hits = zoo.search("cats", task="nothing-of-this-name")
    assert {h.card.id for h in hits} == {"zoo/cats", "zoo/dogs", "zoo/unknown", "zoo/read"}
    assert all(h.why.startswith(f"no model for nothing-of-this-name is in the index, {h.card.task} is near; ") for h in hits)


def test_the_nearest_tasks_are_near(catalogue: ModelCardIndex) -> None:
    hits = catalogue.search("transcribe my meeting", task="speech-recognition", limit=20)
    assert "automatic-speech-recognition" in {h.card.task for h in hits}
    assert len({h.card.task for h in hits}) <= 3


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (CardFilter(), {"zoo/cats", "zoo/dogs", "zoo/unknown"}),
        (CardFilter(license=("mit",)), {"zoo/cats"}),
        (CardFilter(license=("mit", "apache-2.0")), {"zoo/cats", "zoo/dogs"}),
        (CardFilter(language="de"), {"zoo/dogs"}),
        (CardFilter(library="timm"), {"zoo/dogs"}),
        (CardFilter(max_parameters=999), {"zoo/cats"}),
        (CardFilter(max_parameters=1000), {"zoo/cats", "zoo/dogs"}),
        (CardFilter(gated=False), {"zoo/cats"}),
        (CardFilter(gated=True), {"zoo/dogs"}),
        (CardFilter(where=lambda c: c.id.endswith("unknown")), {"zoo/unknown"}),
        (CardFilter(library="transformers", where=lambda c: c.id != "zoo/cats"), set()),
        (CardFilter(license=("mit",), language="de"), set()),
    ],
)
def test_filters(zoo: ModelCardIndex, filters: CardFilter, expected: set[str]) -> None:
    assert set(ids(zoo, "birds dogs cats", task="image-classification", filters=filters)) == expected
    assert set(ids(zoo, "", task="image-classification", filters=filters)) == expected


@pytest.mark.parametrize("query", ["cats", "quokka"], ids=["by meaning it is last", "by words as well"])
def test_a_filter_finds_the_one_card_that_is_left(query: str) -> None:
    many = [ModelCard(id=f"a/{i}", task="t", text="cats quokka") for i in range(1500)]
    rare = ModelCard(id="a/rare", task="t", license="mit", text="dogs " * 40 + "quokka cats")
    index = ModelCardIndex.from_cards([*many, rare], encoder=WordEncoder("cats", "dogs"))
    (hit,) = index.search(query, task="t", filters=CardFilter(license=("mit",)), limit=1)
    assert hit.card == rare


def test_an_empty_query_gives_cards_in_the_order_of_the_index(zoo: ModelCardIndex) -> None:
    hits = zoo.search(" ", limit=4)
    assert [h.card for h in hits] == [CATS, DOGS, UNKNOWN, READ]
    assert {(h.score, h.similarity, h.why) for h in hits} == {(0.0, None, "no query: in the order of the index")}


@pytest.mark.parametrize(
    "query", ['"', "NEAR(", "* OR AND NOT", "___", "a:b -c ^d", "\x00", "x" * 100_000, "\ud83d", "the of a", "'; DROP TABLE cards; --"]
)
def test_any_text_is_a_query(zoo: ModelCardIndex, query: str) -> None:
    assert len(zoo.search(query, task="image-classification")) == 3


@pytest.mark.parametrize("limit", [0, -1, "3", 3.0, True])
def test_a_limit_that_is_no_number_from_one_is_refused(zoo: ModelCardIndex, limit: Any) -> None:
    with pytest.raises(CallerError, match=f"limit must be 1 or more, not {limit!r}"):
        zoo.search("cats", limit=limit)


@pytest.mark.parametrize(
    "wrong",
    [
        {"license": "mit"},
        {"ids": "a/b"},
        {"language": ("de",)},
        {"max_parameters": 2**64},
        {"max_parameters": "1.5B"},
        {"max_bytes": 0},
        {"gated": 1},
        {"license": (1,)},
    ],
    ids=str,
)
def test_a_filter_that_cannot_be_used_is_refused_when_it_is_made(wrong: dict[str, Any]) -> None:
    with pytest.raises(CallerError, match="CardFilter"):
        CardFilter(**wrong)


def test_lists_and_sets_are_taken_in_a_filter(zoo: ModelCardIndex) -> None:
    loose: Any = {"license": ["mit"], "ids": ["zoo/cats", "zoo/dogs"]}
    assert ids(zoo, "cats", task="image-classification", filters=CardFilter(**loose)) == ["zoo/cats"]
    anything: Any = {"license": "mit"}
    with pytest.raises(CallerError, match="filters must be a CardFilter"):
        zoo.search("cats", filters=anything)


def test_without_a_query_as_well_the_nearest_tasks_are_taken(zoo: ModelCardIndex) -> None:
    hits = zoo.search("", task="nothing-of-this-name", limit=2)
    assert len(hits) == 2
    assert (
        hits[0].why
        == f"no model for nothing-of-this-name is in the index, {hits[0].card.task} is near; no query: in the order of the index"
    )


def test_a_limit_above_all_gives_all(zoo: ModelCardIndex) -> None:
    assert len(zoo.search("cats", limit=10_000)) == 5
    assert ids(zoo, "cats", limit=1, task="image-classification") == ["zoo/cats"]


def test_of_cards_with_one_id_and_task_the_last_counts() -> None:
    newer = ModelCard(id="zoo/cats", task="image-classification", text="newer")
    index = ModelCardIndex.from_cards([*CARDS, newer], encoder=WordEncoder(*WORDS))
    assert len(index) == 5
    assert index.get("zoo/cats", task="image-classification") == newer


def test_a_model_is_got_by_id_and_task(zoo: ModelCardIndex) -> None:
    assert zoo.get("zoo/cats", task="image-to-text") == BOTH_READ
    assert zoo.get("zoo/dogs") == DOGS


def test_the_nearest_id_is_suggested(zoo: ModelCardIndex) -> None:
    with pytest.raises(UnknownNameError, match=r"There is no model named 'zoo/cat'\. Did you mean 'zoo/cats'\?") as e:
        zoo.get("zoo/cat")
    assert (e.value.name, e.value.nearest) == ("zoo/cat", "zoo/cats")
    with pytest.raises(UnknownNameError, match="no model for image-to-text named 'zoo/dogs'"):
        zoo.get("zoo/dogs", task="image-to-text")
    with pytest.raises(UnknownNameError, match="Known: zoo/cats, zoo/dogs"):
        zoo.get("q")


def test_no_cards_make_no_index() -> None:
    with pytest.raises(CardError, match="no model cards"):
        ModelCardIndex.from_cards([], encoder=WordEncoder("a"))


def test_counts(zoo: ModelCardIndex) -> None:
    assert len(zoo) == 5
    assert zoo.tasks == {"image-classification": 3, "image-to-text": 2}
    assert (zoo.manifest["encoder"], zoo.manifest["dimension"], zoo.manifest["format"]) == ("words", 5, 2)


async def test_asearch_is_search(zoo: ModelCardIndex) -> None:
    assert await zoo.asearch("cats", limit=2) == zoo.search("cats", limit=2)


def test_threads_may_search_at_once(catalogue: ModelCardIndex) -> None:
    expected = [ids(catalogue, q) for q in QUERIES]
    got: dict[int, list[str]] = {}

    def work(i: int) -> Callable[[], None]:
        return lambda: got.update({i: ids(catalogue, QUERIES[i % len(QUERIES)])})

    threads = [threading.Thread(target=work(i)) for i in range(12)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert [got[i] for i in range(12)] == expected * 2


EMBEDDED = [c for c in load_catalogue() if c.id.startswith("embedded/")]


@pytest.mark.parametrize("card", EMBEDDED, ids=lambda c: c.task)
def test_every_embedded_expert_is_found_for_its_task(catalogue: ModelCardIndex, card: ModelCard) -> None:
    only = CardFilter(where=lambda c: c.id.startswith("embedded/"))
    for query in ("", "cats", card.text[:100]):
        assert ids(catalogue, query, task=card.task, filters=only, limit=1) == [card.id]
