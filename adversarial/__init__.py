"""Does the decision hold? Black-box, feature-guided search for adversarial examples."""
