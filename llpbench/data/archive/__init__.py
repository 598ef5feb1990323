"""The published archives: reading them safely, and writing their layout."""
