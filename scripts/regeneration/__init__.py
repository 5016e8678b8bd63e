"""What scripts/regenerate does, in parts: the standard library and Git only, but for render_program.py."""
