"""The metrics: one file each, in wings by what they look at. `evals.faithfulness.metric.METRICS` lists them."""
