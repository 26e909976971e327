"""What people ask of printed documents, and how the lines that answer are labelled: data for `document`."""

from __future__ import annotations

from dataclasses import dataclass

from .question import AnswerKind


@dataclass(frozen=True, kw_only=True)
class Field:
    """Something that many documents say in a line of their own.

    Attributes:
        asked: how people ask for it.
        labels: how lines that hold it are labelled; one that is not asked for in so many words is found through these.
        kind: what the line must hold.
        at_top: how much the first lines are preferred, 0..1: a letterhead has no label.
    """

    asked: tuple[str, ...]
    labels: tuple[str, ...]
    kind: AnswerKind = AnswerKind.ANY
    at_top: float = 0.0


FIELDS = (
    Field(
        asked=(
            "what is the total",
            "how much did I pay in the end",
            "how much does it cost altogether",
            "what is the final amount",
            "how much money do I owe",
            "what do I have to pay",
            "how much was it",
            "how much did we spend altogether",
        ),
        labels=("total", "grand total", "total due", "amount due", "total amount", "balance due", "to pay", "total to pay", "sum"),
        kind=AnswerKind.AMOUNT,
    ),
    Field(
        asked=("how much tax is included", "what is the VAT", "how high is the sales tax"),
        labels=("vat", "tax", "sales tax", "gst"),
        kind=AnswerKind.AMOUNT,
    ),
    Field(
        asked=("how much change did I get back", "what was the change"),
        labels=("change", "change due", "cash back"),
        kind=AnswerKind.AMOUNT,
    ),
    Field(
        asked=("when is it due", "by when must it be paid", "what is the due date", "when do I have to pay", "what is the deadline"),
        labels=("due date", "payment due", "pay by", "due", "deadline", "payable by"),
        kind=AnswerKind.DATE,
    ),
    Field(
        asked=("what is the date", "when was this written", "when did I buy this", "what date is on it", "what day was it issued"),
        labels=("date", "invoice date", "date of issue", "issued", "order date"),
        kind=AnswerKind.DATE,
    ),
    Field(
        asked=("at what time was this bought", "what time is it", "when does it start"),
        labels=("time", "start", "begins"),
        kind=AnswerKind.TIME,
    ),
    Field(
        asked=("who is it addressed to", "who is the recipient", "who is the letter to", "who is the customer", "whose bill is this"),
        labels=("to", "bill to", "dear", "addressee", "customer", "attention", "recipient", "deliver to"),
    ),
    Field(
        asked=(
            "which shop is this from",
            "what company sent this",
            "where did I buy this",
            "who is the seller",
            "what is the name of the store",
            "which restaurant is it",
            "who issued this invoice",
        ),
        labels=("from", "seller", "vendor", "shop", "company", "issued by"),
        at_top=0.6,
    ),
    Field(
        asked=("who wrote this letter", "who signed it", "who is it from"),
        labels=("yours sincerely", "kind regards", "signed", "best wishes", "from", "sender"),
    ),
    Field(
        asked=("what is the invoice number", "what is the order number", "which reference number does it have"),
        labels=("invoice no", "invoice number", "order no", "reference", "ref", "number"),
        kind=AnswerKind.NUMBER,
    ),
    Field(
        asked=("what is the phone number", "how can I call them"),
        labels=("phone", "tel", "telephone", "call"),
        kind=AnswerKind.NUMBER,
    ),
    Field(
        asked=("how was it paid", "what was the payment method", "did I pay by card or cash"),
        labels=("paid by", "card", "cash", "payment method", "visa", "mastercard"),
    ),
    Field(asked=("what is the address", "where is the shop", "where do they live"), labels=("address", "street", "road", "avenue")),
)

DOCUMENT_NAMES = (
    "invoice", "receipt", "bill", "letter", "ticket", "form", "document", "page", "paper", "note", "scan", "picture", "photo", "image",
)  # fmt: skip
"""What people call the page itself: such a word in a question tells nothing about the line that is wanted."""
