"""Claims about numbers: shares, scores, ratios, counts, and the balance of the two sides."""
