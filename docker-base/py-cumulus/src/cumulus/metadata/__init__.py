"""Metadata records of products: ECHO10 (XML) and UMM-G (JSON)."""

from ..extent import Box, Extent
from .record import GranuleRecord, make_record
from .write import write_granule_records, write_metadata, write_record, write_ummg

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
