"""How models get from their folders into memory, one module for each library: safetensors only, nobody's code, nothing random."""
