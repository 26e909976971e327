"""The model-card index as a retriever in a chain: a prompt with a shortlist of models, ready for any chat model."""

from __future__ import annotations

from langchain_core.documents import Document
from langchain_core.prompts import PromptTemplate
from langchain_core.runnables import RunnablePassthrough

from langchain_hugginggpt.index import CardFilter, ModelCardIndex

PROMPT = PromptTemplate.from_template("Which of these models fits best, and why?\n\nWanted: {wanted}\n\n{shortlist}")


def shortlist(documents: list[Document]) -> str:
    """One line for each model."""
    return "\n".join(f"- {d.id} ({d.metadata['license'] or 'licence unknown'}): {d.page_content[:100]}" for d in documents)


def main() -> None:
    """Print the prompt for one wish."""
    index = ModelCardIndex.embedded()
    retriever = index.as_retriever(task="automatic-speech-recognition", filters=CardFilter(license=("apache-2.0", "mit")), k=4)
    chain = {"wanted": RunnablePassthrough(), "shortlist": retriever | shortlist} | PROMPT  # … | your chat model
    print(chain.invoke("transcribe long meetings on a laptop").to_string())


if __name__ == "__main__":
    main()
