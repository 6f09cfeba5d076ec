"""The search for a proof that no few pixels flip a network's class: sets of sets of pixels, bounded and split."""
