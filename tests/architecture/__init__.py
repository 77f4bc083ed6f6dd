"""Tests of the house itself: its layers, its modules, its packaging."""
