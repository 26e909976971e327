"""Imports every package that is installed, and says what each is; run in an environment without extras."""

import importlib
import pkgutil
import sys

OF_AN_EXTRA = {"langchain_hugginggpt.evaluation.training.network"}  # made of torch's classes; only training imports it, when it runs
for top in ("index", "tools", "agent", "evaluation", "app"):
    package = importlib.import_module(f"langchain_hugginggpt.{top}")
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if module.name not in OF_AN_EXTRA:
            importlib.import_module(module.name)
loaded = {m for m in ("torch", "transformers", "sentence_transformers", "faiss", "openai", "rapidocr") if m in sys.modules}
if loaded:
    sys.exit(f"importing the packages loaded {', '.join(sorted(loaded))}")
print("every package imports without extras")
