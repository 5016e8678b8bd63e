"""Kinds of messages from a worker to the handler."""

__all__ = ["CONVERTER", "DONE", "INPUTS", "LOG", "PROGRAM", "STEP"]

CONVERTER, PROGRAM, DONE, INPUTS = "converter", "program", "done", "inputs"
LOG, STEP = "log", "step"
