"""Rules on what may not get worse between two audits: read, and judged."""
