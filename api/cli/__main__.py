"""``python -m api.cli`` is the command ``clearinghouse``."""

from api.cli import main

main()
