"""Old name of :mod:`cumulus.image_sources`, for bin/deploy of repositories rendered before."""

from .image_sources import changed_sources

__all__ = ["changed_sources"]
