"""The composition root: the command line, the demo and the service, wired to the core.

The only place that knows Flask, click and the terminal. Errors of the domain become one sentence
and an exit code here, never a traceback.
"""
