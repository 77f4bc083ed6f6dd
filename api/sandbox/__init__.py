"""The sandbox: an alliance of samples on a database of its own, with cards that behave as they are told."""
