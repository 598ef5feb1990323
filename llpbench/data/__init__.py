"""From sources to datasets, and datasets as xarray with ``ds.llp``."""
