"""How heatmaps look, in HTML and as PNG."""
