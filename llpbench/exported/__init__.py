"""Methods as files that fly: one file, its runtime and no training library."""
