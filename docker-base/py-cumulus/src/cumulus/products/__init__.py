"""What a product holds."""

from .inspection import inspect
from .model import Product, Variable, is_latitude, is_longitude

__all__ = [
    "Product",
    "Variable",
    "inspect",
    "is_latitude",
    "is_longitude",
]
