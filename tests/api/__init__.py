"""Tests of api: the commands, the demo and its sample."""
