"""How good is an explanation? Metrics and benchmarks."""
