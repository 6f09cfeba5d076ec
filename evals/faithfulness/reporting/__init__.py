"""Files of a comparison of methods: tables as CSV, plots as SVG, and a page."""
