"""Descriptions of classes and of pairs of classes: how they are asked for, judged, kept and used."""
