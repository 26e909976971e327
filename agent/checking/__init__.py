"""The parts of the checker, in the order in which they work: names, arguments, wiring."""
