"""The colours of a heatmap and their opacity, for HTML and PNG alike."""

FOR, AGAINST = (42, 99, 196), (208, 92, 10)
MATTERS = (126, 58, 160)  # of unsigned maps, so that nobody takes it for one of the two
STRONGEST = 0.55  # opacity behind the word with the highest score; black and white letters stay readable on it
FAINT_LINE = 0.3  # opacity of the underline of the faintest word that has one
