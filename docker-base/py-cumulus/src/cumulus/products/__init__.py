"""What a product holds."""

from .inspection import forget, inspect
from .model import Product, Variable, is_latitude, is_longitude

__all__ = [
    "Product",
    "Variable",
    "forget",
    "inspect",
    "is_latitude",
    "is_longitude",
]
