"""Attribution methods side by side: how faithful each is, how they rank over all metrics, and where their maps agree."""
