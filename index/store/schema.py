"""The tables of an index.

A card's number holds its task in the upper half and its place within the task in the lower one, so that the cards of a task are one range
of numbers in every table, the words included.
"""

from __future__ import annotations

SLOT_BITS = 32
LOCAL = (1 << SLOT_BITS) - 1

SCHEMA = """
CREATE TABLE tasks (slot INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, next INTEGER NOT NULL, cards INTEGER NOT NULL);
CREATE TABLE cards (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL, given BLOB NOT NULL, encoded BLOB NOT NULL, facts TEXT NOT NULL, text TEXT NOT NULL
);
CREATE UNIQUE INDEX cards_by_id ON cards (id, number >> 32);
CREATE TABLE facts (
    number INTEGER PRIMARY KEY, license TEXT, library TEXT, parameters INTEGER, bytes INTEGER, gated INTEGER, modified TEXT
);
CREATE TABLE languages (language TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (language, number)) WITHOUT ROWID;
CREATE TABLE providers (provider TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (provider, number)) WITHOUT ROWID;
CREATE VIRTUAL TABLE words USING fts5 (text, content='', detail='none', tokenize='porter unicode61');
CREATE VIRTUAL TABLE labels USING fts5 (text, content='', detail='none', tokenize='porter unicode61');
CREATE TABLE work (state TEXT NOT NULL);
CREATE TABLE seen (number INTEGER PRIMARY KEY);
CREATE TABLE stale (number INTEGER PRIMARY KEY);
"""
"""
tasks.next      the place that the next card of the task gets; places are not given twice
cards.given     digest of the card as it came from its source: unchanged means nothing to do
cards.encoded   digest of what is encoded and of the words: unchanged means that vectors and words stay
cards.facts     the card without its text, JSON
facts, languages, providers   what filters ask for, apart from the texts, so that a filter reads little
words, labels   the words of everything that a card says, and of its facts alone (id, task, tags); which card has which word, no more.
                Two tables, because a search for a word in one column of a table goes on through all cards that have it in the other.
work, seen, stale   while it is built: how far that is, which cards the source named, whose vectors do not count any more
"""


def number_of(slot: int, local: int) -> int:
    """A card's number."""
    return slot << SLOT_BITS | local


def span(slot: int) -> tuple[int, int]:
    """The first and the last number that cards of a task may have."""
    return slot << SLOT_BITS, slot << SLOT_BITS | LOCAL
