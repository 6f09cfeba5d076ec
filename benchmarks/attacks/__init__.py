"""The parts of `benchmarks/attack.py`: networks, contenders, and the tables."""
