"""The frame of every request: who calls, what goes in and out, what a refusal looks like, what is recorded."""
