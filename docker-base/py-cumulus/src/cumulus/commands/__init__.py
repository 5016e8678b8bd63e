"""The commands of ``python -m cumulus``, one module each."""
