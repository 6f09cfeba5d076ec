"""Metrics of RFxG (Elisha et al. 2025): is a map faithful to its question: class or group, alone or compared?"""
