"""An index on disk: cards and words in SQLite, vectors in FAISS, a manifest that names the generation that counts."""
