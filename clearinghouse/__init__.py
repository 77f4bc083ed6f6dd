"""The core of the clearing house: what is decided, remembered and done. No HTTP, no terminal.

Imports flow ``operations -> store -> config -> domain``, and the layers are tested.
"""
