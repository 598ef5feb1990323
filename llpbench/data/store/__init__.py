"""A dataset on disk: writing it, its digest, verifying it."""

from llpbench.data.store.layout import FORMAT, StoreInfo, read_info
from llpbench.data.store.verifying import verify_store
from llpbench.data.store.writing import WriteReport, write_store

__all__ = ["FORMAT", "StoreInfo", "WriteReport", "read_info", "verify_store", "write_store"]
