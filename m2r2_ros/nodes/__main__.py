# Copyright 2026 The m2r2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m m2r2_ros.nodes NODE`: what `ros2 run m2r2_ros NODE` runs, where there is no `ros2`."""

import signal
import sys
from importlib import import_module
from typing import Final

NODES: Final = ('segmenter', 'recorder', 'player', 'visualizer', 'sim')


def main() -> None:
    """Run the node that the first argument names, with the arguments behind it."""
    # Until the node knows how to end, which takes a second: without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    name = sys.argv[1] if len(sys.argv) > 1 else ''
    if name not in NODES:
        asked = name in ('-h', '--help')
        usage = f'usage: python -m m2r2_ros.nodes {{{",".join(NODES)}}} [-h] [--ros-args ...]'
        print(usage, file=sys.stdout if asked else sys.stderr)
        sys.exit(0 if asked else 2)
    sys.argv = [name, *sys.argv[2:]]
    import_module(f'm2r2_ros.nodes.{name}.node').main()


if __name__ == '__main__':
    main()
