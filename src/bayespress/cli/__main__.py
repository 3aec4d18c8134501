"""``python -m bayespress.cli``."""

from bayespress.cli import main

main()
