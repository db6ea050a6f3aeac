"""Entry point of ``python -m emulator``."""

import sys

from emulator.command_line import main

if __name__ == "__main__":
    sys.exit(main())
