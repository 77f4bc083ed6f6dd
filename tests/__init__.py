"""The tests, by the part of the house they look at; `scenarios` and `model` look at all of it."""
