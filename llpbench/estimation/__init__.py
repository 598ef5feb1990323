"""Class areas of polygons: from predictions alone, or with a sample of labelled chips."""
