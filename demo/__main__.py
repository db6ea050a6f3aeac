"""Entry point of `python -m demo`."""

import codecs
import io
import sys

from demo import stopping

if __name__ == "__main__":
    # Before the imports below, which take a while: otherwise a Ctrl-C prints a
    # traceback.
    stopping.handle_signals()

    from demo.command_line import main

    # An old terminal has no block characters for a chart.
    encoding = codecs.lookup(sys.stdout.encoding or "ascii").name
    # A pipe or an old terminal may not accept the plant's names otherwise.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")
    sys.exit(main(ascii_only=encoding != "utf-8"))
