"""Browse images of products."""

from .scene import Axis, Scene, write_browse

__all__ = [
    "Axis",
    "Scene",
    "write_browse",
]
