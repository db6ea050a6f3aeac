"""Entry point of `python -m scale`."""

import sys

from demo import stopping

if __name__ == "__main__":
    # Before the imports below, which take a while: otherwise a Ctrl-C prints a
    # traceback.
    stopping.handle_signals()

    from scale.command_line import main

    sys.exit(main())
