"""Challenges: datasets whose test truth stays with the organiser, and what teams hand in."""
