"""Helpers of benchmarks/audit.py: servers, proxies and comparisons."""
