"""Imported by the server that workers are forked from, and by nothing else: how it ends."""

import atexit
import os

# Taking torch apart takes a second, for which whoever reads the run's output through a pipe would wait.
atexit.register(os._exit, 0)
