"""Metadata records of products: ECHO10 (XML) and UMM-G (JSON)."""

from ..extent import Box, Extent
from .record import GranuleRecord
from .write import make_record, write_granule_records, write_metadata, write_record, write_ummg

__all__ = [
    "Box",
    "Extent",
    "GranuleRecord",
    "make_record",
    "write_granule_records",
    "write_metadata",
    "write_record",
    "write_ummg",
]
