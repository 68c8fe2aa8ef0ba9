"""Imported first by the server that workers are forked from, and by nothing else: how it ends."""

import atexit
import os
import signal

# Ctrl-C while torch is imported: the parent, which hears it too, tells what it means.
signal.signal(signal.SIGINT, lambda *_: os._exit(130))
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # blocked so far, see `masking`
# Taking torch apart takes a second, for which whoever reads the run's output through a pipe would wait.
atexit.register(os._exit, 0)
