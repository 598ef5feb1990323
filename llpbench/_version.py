"""The version of the package, of the store format and of the scorer live where they are used."""

__version__ = "0.1.0"

YEAR = 2026
"""Of that version, for citations."""
