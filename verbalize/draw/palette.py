"""The colours of a heatmap, and how strongly they are laid on: one account for HTML and PNG."""

FOR, AGAINST = (42, 99, 196), (208, 92, 10)
STRONGEST = 0.55  # opacity behind the highest score: words on it stay readable in black and in white
FAINT_LINE = 0.3  # opacity of the line under the faintest word that has one
